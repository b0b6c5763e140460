/** @import { Api } from "./api.js" */
/** @import { SearchSource } from "./types.js" */

import { SearchSession, Suggested } from "./search-session.js";

/** Speech waits for a pause in typing. */
const REST = 300;
const WIDE = "(min-width: 60rem)";

/**
 * What a search found, as the server drew it.
 *
 * @typedef {object} FoundPart
 * @property {HTMLElement} part
 * @property {SearchSource[]} sources
 */

/**
 * `<contact-list>`: the list of contacts, searched while one types, with a card beside it where
 * there is room. The server draws all of it: without a script each of these is a page of its own.
 *
 * @param {Api} api
 */
export function contactList(api) {
  return class ContactList extends HTMLElement {
    /** @type {SearchSession<FoundPart>} */
    #session = new SearchSession((text, signal) => this.#search(text, signal));
    #detach = new AbortController();
    /** @type {Node[]} what stands there while nothing is searched */
    #unsearched = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #telling;
    #opening = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      if (!this.#input.value) {
        this.#unsearched = [...this.#found.childNodes];
      }
      this.querySelector('[data-part="submit"]')?.setAttribute("hidden", "");
      this.#input.addEventListener("input", () => this.#typed(), { signal });
      this.#form.addEventListener("change", (event) => this.#changed(event), { signal });
      this.#session.addEventListener("answer", (event) => this.#answered(event), { signal });
      this.addEventListener("click", (event) => this.#clicked(event), { signal });
      this.addEventListener("keydown", (event) => this.#pressed(event), { signal });
      document.addEventListener("click", (event) => this.#closeOthers(event), { signal });
    }

    disconnectedCallback() {
      this.#session.stop();
      this.#opening.abort();
      clearTimeout(this.#telling);
      this.#detach.abort();
    }

    get #form() {
      return /** @type {HTMLFormElement} */ (this.querySelector("form"));
    }

    get #input() {
      return /** @type {HTMLInputElement} */ (this.querySelector('input[type="search"]'));
    }

    get #found() {
      return /** @type {HTMLElement} */ (this.querySelector('[data-part="found"]'));
    }

    /**
     * @param {string} text
     * @param {AbortSignal} signal
     * @returns {Promise<FoundPart>}
     */
    async #search(text, signal) {
      const query = new URLSearchParams({ q: text, book: this.#book });
      const part = await api.part(`${this.dataset.rows}?${query}`, signal);
      const isSearching = part.dataset.searching === "yes";
      return { part, sources: [{ name: "", state: isSearching ? "searching" : "ok" }] };
    }

    get #book() {
      return String(new FormData(this.#form).get("book") ?? "");
    }

    #typed() {
      const text = this.#input.value.trim();
      const query = new URLSearchParams({ ...(text && { q: text }), book: this.#book });
      history.replaceState(null, "", `${this.#form.action}?${query}`);
      if (text) {
        this.#session.ask(text);
      } else {
        this.#session.stop();
        this.#clear();
      }
    }

    #clear() {
      this.#tell("");
      if (this.#unsearched.length) {
        this.#found.replaceChildren(...this.#unsearched);
      } else {
        this.#form.requestSubmit();
      }
    }

    /** @param {Event} event another book was chosen */
    #changed(event) {
      if (event.target instanceof HTMLSelectElement) {
        this.#form.requestSubmit();
      }
    }

    /** @param {Event} event */
    #answered(event) {
      if (!(event instanceof Suggested)) {
        return;
      }
      const { part } = /** @type {FoundPart} */ (event.answer);
      // Who is about to call somebody keeps his choice open and his focus.
      if (!this.#found.querySelector("details[open]")) {
        this.#found.replaceChildren(part);
      }
      this.#tell(part.querySelector(".found__head")?.textContent ?? "");
    }

    /** @param {string} text said once typing rests, so that a screen reader is not cut short */
    #tell(text) {
      clearTimeout(this.#telling);
      this.#telling = setTimeout(() => {
        const place = this.querySelector('[data-part="told"]');
        if (place) {
          place.textContent = text.replace(/\s+/g, " ").trim();
        }
      }, REST);
    }

    /** @param {MouseEvent} event */
    #clicked(event) {
      const link = event.target instanceof Element && event.target.closest("a[data-card]");
      const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
      if (link instanceof HTMLAnchorElement && isPlain && matchMedia(WIDE).matches) {
        event.preventDefault();
        this.#open(link);
      }
    }

    /** @param {HTMLAnchorElement} link of the card to put beside the list */
    async #open(link) {
      this.#opening.abort();
      this.#opening = new AbortController();
      const { signal } = this.#opening;
      try {
        const card = await api.part(link.dataset.card ?? "", signal);
        this.querySelector('[data-part="beside"]')?.replaceChildren(card);
      } catch {
        if (!signal.aborted) {
          location.assign(link.href);
        }
        return;
      }
      for (const row of this.querySelectorAll(".row--current")) {
        row.classList.remove("row--current");
      }
      const row = link.closest("[data-contact]");
      row?.classList.add("row--current");
      const query = new URLSearchParams(location.search);
      query.set("open", row?.getAttribute("data-contact") ?? "");
      history.replaceState(null, "", `${location.pathname}?${query}`);
      this.#tell(link.textContent ?? "");
    }

    /** @param {KeyboardEvent} event */
    #pressed(event) {
      const open = this.querySelector("details.choose[open]");
      if (event.key === "Escape" && open) {
        event.preventDefault();
        open.removeAttribute("open");
        open.querySelector("summary")?.focus();
      }
    }

    /** @param {MouseEvent} event */
    #closeOthers(event) {
      for (const open of this.querySelectorAll("details.choose[open]")) {
        if (!(event.target instanceof Node && open.contains(event.target))) {
          open.removeAttribute("open");
        }
      }
    }
  };
}
