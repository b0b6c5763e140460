/** @import { PresenceStore } from "./presence-store.js" */

import { showPhase } from "./slots.js";

/**
 * `<now-sentence data-user>`: what happens to the reader's calls now, by the state of his phone.
 *
 * @param {PresenceStore} store
 */
export function nowSentence(store) {
  return class NowSentence extends HTMLElement {
    #detach = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      showPhase(this, this.dataset.phase ?? "");
      const { signal } = this.#detach;
      store.addEventListener("change", () => this.#draw(), { signal });
      store.addEventListener("lost", () => showPhase(this, "unknown"), { signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    #draw() {
      const me = store.get(this.dataset.user ?? "");
      if (me) {
        showPhase(this, me.phone);
      }
    }
  };
}
