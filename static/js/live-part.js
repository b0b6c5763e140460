/**
 * `<live-part data-src data-on data-at-once>`: a part of the page that the server draws anew when
 * something of the kind `data-on` happened, and every few minutes, for it shows where now is. With
 * `data-at-once` it is drawn when the page stands: what would hold it up otherwise.
 */

const EVERY = 5 * 60_000;

/** @param {EventTarget} news events by the kinds of the live socket's messages, and `resync` */
export function livePart(news) {
  return class LivePart extends HTMLElement {
    #detach = new AbortController();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    #clock;
    #isLoading = false;
    #isStale = false;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      for (const kind of [this.dataset.on ?? "", "resync"]) {
        news.addEventListener(kind, () => this.#load(), { signal });
      }
      if ("atOnce" in this.dataset) {
        this.#load();
      }
      this.#clock = setInterval(() => !document.hidden && this.#load(), EVERY);
    }

    disconnectedCallback() {
      this.#detach.abort();
      clearInterval(this.#clock);
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
