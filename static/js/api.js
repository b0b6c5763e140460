/** @import { Call, CallWish, Handset, MyStatus, SearchAnswer } from "./types.js" */

const TIME_LIMIT = 10_000;

/** A refusal; `message` is for the user, in his language, and empty when no answer came at all. */
export class ApiError extends Error {
  /**
   * @param {string} code the API's, or `no_answer`
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

/**
 * Commands to BlueTel go by HTTP, on this page's own origin and with its session.
 *
 * Every method rejects with an {@link ApiError}; a search that was given up rejects with the
 * signal's reason.
 */
export class Api {
  #base;

  /** @param {string} [base] where the API begins */
  constructor(base = "/api/v1/") {
    this.#base = base;
  }

  /**
   * Ring the user's own phone, to call `number` when he picks up.
   *
   * @param {string} number
   * @param {string} key of the intent: the same key never makes a second call
   * @returns {Promise<Call>}
   */
  placeCall(number, key) {
    return this.#send("POST", "calls", { body: { number }, headers: { "Idempotency-Key": key } });
  }

  /** @returns {Promise<Call[]>} the live calls, newest first */
  async liveCalls() {
    /** @type {{ calls: Call[] }} */
    const answer = await this.#send("GET", "calls");
    return answer.calls;
  }

  /**
   * @param {string} id
   * @returns {Promise<Call>} one call, also for some minutes after its end
   */
  call(id) {
    return this.#send("GET", `calls/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} id
   * @returns {Promise<void>}
   */
  hangUp(id) {
    return this.#send("DELETE", `calls/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} id
   * @param {string} action such as `hold` or `transfer/complete`
   * @param {object} [body]
   * @returns {Promise<void>}
   */
  steer(id, action, body = {}) {
    return this.#send("POST", `calls/${encodeURIComponent(id)}/${action}`, { body });
  }

  /**
   * @param {string} text
   * @param {AbortSignal} signal
   * @returns {Promise<SearchAnswer>}
   */
  search(text, signal) {
    return this.#send("GET", `search?q=${encodeURIComponent(text)}`, { signal });
  }

  /**
   * A part of a page that the server draws.
   *
   * @param {string} url
   * @param {AbortSignal} signal
   * @returns {Promise<HTMLElement>} its first element, not in the page yet
   */
  async part(url, signal) {
    const limit = AbortSignal.timeout(TIME_LIMIT);
    const response = await fetch(url, { signal: AbortSignal.any([limit, signal]) });
    const isPart = response.ok && !response.redirected;
    const text = isPart ? await response.text() : "";
    const part = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
    if (!(part instanceof HTMLElement)) {
      throw new ApiError(`http_${response.status}`, "");
    }
    return document.importNode(part, true);
  }

  /** @returns {Promise<MyStatus>} the reader's own status, and why it holds */
  myStatus() {
    return this.#send("GET", "presence/me");
  }

  /**
   * @param {{ im: string | null, message?: string, until?: string | null }} status
   * @returns {Promise<MyStatus>}
   */
  setStatus(status) {
    return this.#send("PUT", "presence/me", { body: status });
  }

  /**
   * @param {boolean} idle
   * @returns {Promise<MyStatus>}
   */
  setIdle(idle) {
    return this.#send("POST", "presence/me/idle", { body: { idle } });
  }

  /** @returns {Promise<CallWish[]>} whom the reader wants to call when they are free */
  async callWishes() {
    /** @type {{ wishes: CallWish[] }} */
    const answer = await this.#send("GET", "call-wishes");
    return answer.wishes;
  }

  /**
   * @param {string} user id of somebody whose phone is busy
   * @returns {Promise<CallWish[]>} all wishes
   */
  async wishToCall(user) {
    /** @type {{ wishes: CallWish[] }} */
    const answer = await this.#send("POST", "call-wishes", { body: { user_id: user } });
    return answer.wishes;
  }

  /**
   * @param {string} user id
   * @returns {Promise<void>}
   */
  dropWish(user) {
    return this.#send("DELETE", `call-wishes/${encodeURIComponent(user)}`);
  }

  /**
   * @param {string} user id
   * @param {boolean} isFavourite
   * @returns {Promise<void>}
   */
  star(user, isFavourite) {
    return this.#send(isFavourite ? "PUT" : "DELETE", `favourites/${encodeURIComponent(user)}`);
  }

  /** @returns {Promise<number>} how many voice messages are new */
  async unread() {
    /** @type {{ unread: number }} */
    const answer = await this.#send("GET", "voicemail/unread");
    return answer.unread;
  }

  /**
   * @param {string} id of a voice message that was played
   * @returns {Promise<void>}
   */
  markHeard(id) {
    return this.#send("PATCH", `voicemail/${encodeURIComponent(id)}`, { body: { read: true } });
  }

  /**
   * @param {string} url
   * @returns {Promise<Handset[]>} the simulated phones of the demo
   */
  async handsets(url) {
    /** @type {{ phones: Handset[] }} */
    const answer = await this.#send("GET", url);
    return answer.phones;
  }

  /**
   * @param {string} url
   * @param {FormData} form
   * @returns {Promise<Handset[]>} the phones after one of them was used
   */
  async useHandset(url, form) {
    /** @type {{ phones: Handset[] }} */
    const answer = await this.#send("POST", url, { form });
    return answer.phones;
  }

  /**
   * @template T
   * @param {string} method
   * @param {string} path below the API, or an address that begins with a slash
   * @param {{ body?: object, form?: FormData, headers?: Record<string, string>, signal?: AbortSignal }} [options]
   * @returns {Promise<T>}
   */
  async #send(method, path, { body, form, headers = {}, signal } = {}) {
    const limit = AbortSignal.timeout(TIME_LIMIT);
    const url = path.startsWith("/") ? path : this.#base + path;
    /** @type {RequestInit} */
    const request = {
      method,
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    };
    if (form) {
      request.body = form;
    } else if (body) {
      request.body = JSON.stringify(body);
      request.headers = { ...request.headers, "Content-Type": "application/json" };
    }
    try {
      const response = await fetch(url, request);
      if (!response.ok) {
        throw await refusal(response);
      }
      return /** @type {T} */ (response.status === 204 ? undefined : await response.json());
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted) {
        throw error;
      }
      throw new ApiError("no_answer", "");
    }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function refusal(response) {
  const code = `http_${response.status}`;
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) {
    return new ApiError(code, "");
  }
  const { error } = await response.json();
  return new ApiError(error?.code ?? code, error?.message ?? "");
}

/** Read anew each time: signing in again in another tab changes it. */
function csrfToken() {
  return /(?:^|;\s*)(?:__Host-)?csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}
