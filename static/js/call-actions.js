/** @import { Api } from "./api.js" */
/** @import { CallStore } from "./call-store.js" */

import { ApiError } from "./api.js";
import { word } from "./words.js";

/** Actions of the page's buttons, by their name in the API. */
const PATHS = new Map([
  ["answer", "answer"],
  ["hold", "hold"],
  ["resume", "resume"],
  ["mute", "mute"],
  ["unmute", "unmute"],
]);

/**
 * What the buttons beside a call do. The result is not shown from here: the call itself comes back
 * over the live socket once the phone system has done it; only a refusal is told at once.
 */
export class CallActions {
  #api;
  #calls;
  /** @type {Set<string>} what is under way: a second click adds nothing */
  #underWay = new Set();

  /**
   * @param {Api} api
   * @param {CallStore} calls
   */
  constructor(api, calls) {
    this.#api = api;
    this.#calls = calls;
  }

  /**
   * A form beside a call was sent.
   *
   * @param {HTMLElement} line with the call's id in `data-call`
   * @param {HTMLFormElement} form
   * @param {HTMLElement | null} submitter
   */
  async submit(line, form, submitter) {
    const button = submitter instanceof HTMLButtonElement ? submitter : null;
    const consult = line.querySelector('[data-form="consult"]');
    switch (form.dataset.form) {
      case "dtmf":
        await this.steer(line, "dtmf", { digits: button?.value ?? "" });
        break;
      case "transfer": {
        const number = String(new FormData(form).get("number") ?? "").trim();
        const kind = button?.value === "attended" ? "attended" : "blind";
        if (await this.steer(line, "transfer", { number, kind })) {
          form.toggleAttribute("hidden", kind === "attended");
          consult?.toggleAttribute("hidden", kind !== "attended");
        }
        break;
      }
      case "consult":
        if (await this.steer(line, `transfer/${button?.value ?? "cancel"}`)) {
          consult?.setAttribute("hidden", "");
          line.querySelector('[data-form="transfer"]')?.removeAttribute("hidden");
        }
        break;
      default:
        await this.act(line, button?.dataset.action ?? "");
    }
  }

  /**
   * @param {HTMLElement} line
   * @param {string} action `hang-up`, or one of the API's
   */
  async act(line, action) {
    const path = PATHS.get(action);
    if (action === "hang-up") {
      await this.#try(line, action, (id) => this.#api.hangUp(id));
    } else if (path) {
      await this.steer(line, path);
    }
  }

  /**
   * @param {HTMLElement} line
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<boolean>} whether the phone system took it
   */
  steer(line, path, body) {
    return this.#try(line, `${path}${JSON.stringify(body)}`, (id) =>
      this.#api.steer(id, path, body),
    );
  }

  /**
   * @param {HTMLElement} line
   * @param {string} message why something was not done; empty takes it away
   */
  complain(line, message) {
    const text = line.querySelector(':scope > * > [data-part="error"] [data-part="error-text"]');
    if (text) {
      text.textContent = message;
      text.closest('[data-part="error"]')?.toggleAttribute("hidden", !message);
    }
  }

  /**
   * @param {HTMLElement} line
   * @param {string} what
   * @param {(id: string) => Promise<void>} send
   * @returns {Promise<boolean>}
   */
  async #try(line, what, send) {
    const id = line.dataset.call ?? "";
    const action = `${id} ${what}`;
    if (this.#underWay.has(action)) {
      return false;
    }
    this.#underWay.add(action);
    try {
      await send(id);
      this.complain(line, "");
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.complain(line, error.message || word("failed"));
      if (error.code === "call_ended" || error.code === "not_found") {
        await this.#catchUp(id);
      }
      return false;
    } finally {
      this.#underWay.delete(action);
    }
  }

  /**
   * The page shows a call the server has no more: read how it ended, or let it go.
   *
   * @param {string} id
   */
  async #catchUp(id) {
    try {
      this.#calls.learn(await this.#api.call(id));
    } catch {
      this.#calls.dismiss(id);
    }
  }
}
