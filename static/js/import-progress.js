/** @import { Api } from "./api.js" */

const PAUSE = 1_000;

/**
 * `<import-progress data-url>`: how far a file is, drawn by the server and asked for again until it
 * has been read.
 *
 * @param {Api} api
 */
export function importProgress(api) {
  return class ImportProgress extends HTMLElement {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #timer;
    #abort = new AbortController();

    connectedCallback() {
      this.#abort = new AbortController();
      this.#wait();
    }

    disconnectedCallback() {
      clearTimeout(this.#timer);
      this.#abort.abort();
    }

    #wait() {
      if (this.querySelector('[data-state="running"]')) {
        this.#timer = setTimeout(() => this.#renew(), PAUSE);
      }
    }

    async #renew() {
      try {
        this.replaceChildren(await api.part(this.dataset.url ?? "", this.#abort.signal));
      } catch {
        // The next look tries again.
      }
      if (!this.#abort.signal.aborted) {
        this.#wait();
      }
    }
  };
}
