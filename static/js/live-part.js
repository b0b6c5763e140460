/**
 * `<live-part data-src data-on data-at-once>`: a part of the page that the server draws anew when
 * something of the kind `data-on` happened, and every few minutes, for it shows where now is; while
 * the tab is hidden not before somebody looks. With `data-at-once` it is drawn when the page stands:
 * what would hold it up otherwise. As that is dear, it waits a moment when all pages are told to
 * look again together.
 */

const EVERY = 5 * 60_000;
const SPREAD = 5_000;

/** @param {EventTarget} news events by the kinds of the live socket's messages, and `resync` */
export function livePart(news) {
  return class LivePart extends HTMLElement {
    #detach = new AbortController();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    #clock;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #turn;
    #isLoading = false;
    #isStale = false;
    #isMissed = false;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      const isDear = "atOnce" in this.dataset;
      news.addEventListener(this.dataset.on ?? "", () => this.#look(), { signal });
      news.addEventListener("resync", () => this.#lookWithin(isDear ? SPREAD : 0), { signal });
      document.addEventListener("visibilitychange", () => this.#isMissed && this.#look(), {
        signal,
      });
      if (isDear) {
        this.#look();
      }
      this.#clock = setInterval(() => this.#look(), EVERY);
    }

    disconnectedCallback() {
      this.#detach.abort();
      clearInterval(this.#clock);
      clearTimeout(this.#turn);
    }

    /** @param {number} spread ms */
    #lookWithin(spread) {
      clearTimeout(this.#turn);
      this.#turn = setTimeout(() => this.#look(), Math.random() * spread);
    }

    #look() {
      this.#isMissed = document.hidden;
      if (!document.hidden) {
        this.#load();
      }
    }

    async #load() {
      if (this.#isLoading) {
        this.#isStale = true;
        return;
      }
      this.#isLoading = true;
      try {
        const answer = await fetch(this.dataset.src ?? "", { signal: this.#detach.signal });
        if (answer.ok && !answer.redirected) {
          this.#draw(await answer.text());
        }
      } catch {
        // What is shown stays; the next message, or the next connection, tries again.
      }
      this.#isLoading = false;
      if (this.#isStale) {
        this.#isStale = false;
        this.#load();
      }
    }

    /** @param {string} html what is open stays open, and the focus where it was */
    #draw(html) {
      const places = focusable(this);
      const place = places.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      const open = [...this.querySelectorAll("details")].map((part) => part.open);
      const drawn = new DOMParser().parseFromString(html, "text/html");
      this.replaceChildren(...document.adoptNode(drawn.body).childNodes);
      for (const [index, part] of [...this.querySelectorAll("details")].entries()) {
        part.open = open[index] ?? false;
      }
      if (place >= 0) {
        focusable(this)[place]?.focus();
      }
    }
  };
}

/**
 * @param {HTMLElement} root
 * @returns {HTMLElement[]}
 */
function focusable(root) {
  return [...root.querySelectorAll(":is(a, button, summary, input:not([type=hidden]))")].map(
    (part) => /** @type {HTMLElement} */ (part),
  );
}
