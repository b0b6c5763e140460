/** @import { PresenceStore } from "./presence-store.js" */

import { foldedWords } from "./marks.js";
import { counted } from "./words.js";

/**
 * `<team-filter>`: leaves those of the team list below it whose name or extension fits what is
 * typed, and on request those only whose phone is free, as they become so. Without a script the
 * server does the same.
 *
 * @param {PresenceStore} store
 */
export function teamFilter(store) {
  return class TeamFilter extends HTMLElement {
    #detach = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      this.querySelector('[data-part="submit"]')?.setAttribute("hidden", "");
      this.#form.addEventListener("input", () => this.#typed(), { signal });
      this.#form.addEventListener("submit", (event) => event.preventDefault(), { signal });
      this.addEventListener("keydown", (event) => this.#pressed(event), { signal });
      store.addEventListener("change", () => this.#free && this.#filter(), { signal });
      store.addEventListener("lost", () => this.#free && this.#filter(), { signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    get #form() {
      return /** @type {HTMLFormElement} */ (this.querySelector("form"));
    }

    get #text() {
      return String(new FormData(this.#form).get("q") ?? "").trim();
    }

    get #free() {
      return new FormData(this.#form).has("free");
    }

    #typed() {
      const query = new URLSearchParams({
        ...(this.#text && { q: this.#text }),
        ...(this.#free && { free: "yes" }),
      });
      history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
      this.#filter();
    }

    /** @param {KeyboardEvent} event */
    #pressed(event) {
      if (event.key === "Escape" && event.target instanceof HTMLInputElement && this.#text) {
        event.preventDefault();
        event.target.value = "";
        this.#typed();
      }
    }

    #filter() {
      const section = this.closest("section");
      const terms = foldedWords(this.#text);
      const rows = [...(section?.querySelectorAll("[data-person]") ?? [])];
      for (const row of rows) {
        const sought = row.getAttribute("data-sought") ?? "";
        const fits = terms.every((term) => sought.includes(` ${term}`));
        row.toggleAttribute("hidden", !(fits && (!this.#free || isFree(row, store))));
      }
      const shown = rows.filter((row) => !row.hasAttribute("hidden")).length;
      section?.querySelector('[data-part="none"]')?.toggleAttribute("hidden", shown > 0);
      const count = section?.querySelector('[data-part="count"]');
      if (count && count.textContent !== counted("people", shown)) {
        count.textContent = counted("people", shown);
      }
    }
  };
}

/**
 * @param {Element} row
 * @param {PresenceStore} store
 */
function isFree(row, store) {
  const known = store.get(row.getAttribute("data-person") ?? "")?.phone;
  return (known ?? row.querySelector("presence-badge")?.getAttribute("data-phone")) === "available";
}
