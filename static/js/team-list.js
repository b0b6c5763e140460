/** @import { PresenceStore } from "./presence-store.js" */

import { PersonChanged } from "./presence-store.js";

/**
 * `<team-list>`: colleagues with what they say of themselves; their signs keep themselves true.
 *
 * @param {PresenceStore} store
 */
export function teamList(store) {
  return class TeamList extends HTMLElement {
    #detach = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      store.addEventListener("change", (event) => this.#changed(event), { signal });
      store.addEventListener("lost", () => this.#tellLive(), { signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    /** @param {Event} event */
    #changed(event) {
      if (!(event instanceof PersonChanged)) {
        return;
      }
      const { person } = event;
      const row = this.querySelector(`[data-person="${CSS.escape(person.user_id)}"]`);
      const message = row?.querySelector('[data-part="message"]');
      if (message) {
        message.textContent = person.message ?? "";
        message.toggleAttribute("hidden", !person.message);
      }
      this.#tellLive();
    }

    /** While nobody's phone is known, nothing here is live. */
    #tellLive() {
      const rows = [...this.querySelectorAll("[data-person]")];
      const people = rows.map((row) => store.get(row.getAttribute("data-person") ?? ""));
      const isLive = people.some((person) => person && person.phone !== "unknown");
      const note = this.parentElement?.querySelector('[data-part="live"]');
      note?.toggleAttribute("hidden", !isLive);
    }
  };
}
