/** @import { SearchAnswer, SearchRow, SearchSource } from "./types.js" */

import { initials } from "./initials.js";
import { markMatches } from "./marks.js";
import { ownLabel, shownNumber } from "./numbers.js";
import { SearchSession, Suggested } from "./search-session.js";
import { cloneTemplate, fillSlots } from "./slots.js";
import { counted, word } from "./words.js";

/** A row was clicked, or taken with Enter. */
export class RowChosen extends Event {
  /** @param {SearchRow} row */
  constructor(row) {
    super("choose", { bubbles: true });
    this.row = row;
  }
}

/** What was found and who has not answered, in words for people. */
export class SourcesTold extends Event {
  /**
   * @param {string} text
   * @param {SearchSource[]} sources
   */
  constructor(text, sources) {
    super("sources", { bubbles: true });
    this.text = text;
    this.sources = sources;
  }
}

/** Told apart on one page: the dialer and each transfer have a field of their own. */
let fields = 0;

/**
 * `<number-field>`: an editable combobox of names and numbers (WAI-ARIA 1.2) with manual
 * selection: nothing is chosen until somebody chooses it, so a fast Enter never calls a person one
 * has not read.
 *
 * Events: `choose` ({@link RowChosen}) and `sources` ({@link SourcesTold}). Enter without a row is
 * left to the form.
 *
 * @param {(text: string, signal: AbortSignal) => Promise<SearchAnswer>} search
 */
export function numberField(search) {
  return class NumberField extends HTMLElement {
    #session = new SearchSession(search);
    #detach = new AbortController();
    /** @type {SearchRow[]} */
    #rows = [];
    #current = -1;
    #prefix = "";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #telling;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      this.#nameParts();
      this.input.addEventListener("input", () => this.#typed(), { signal });
      this.input.addEventListener("keydown", (event) => this.#pressed(event), { signal });
      this.#list.addEventListener("pointerdown", (event) => event.preventDefault(), { signal });
      this.#list.addEventListener("click", (event) => this.#clicked(event), { signal });
      this.#session.addEventListener("answer", (event) => this.#answered(event), { signal });
      this.#session.addEventListener("failed", () => this.#failed(), { signal });
    }

    disconnectedCallback() {
      this.#session.stop();
      clearTimeout(this.#telling);
      this.#detach.abort();
    }

    /** @returns {HTMLInputElement} */
    get input() {
      return /** @type {HTMLInputElement} */ (this.querySelector("input"));
    }

    /** @returns {SearchRow | undefined} the row one has moved to, if any */
    get current() {
      return this.#rows[this.#current];
    }

    /** Empty the field and close the list. */
    clear() {
      this.input.value = "";
      this.say("");
      this.close();
      this.#tell("");
    }

    /** Close the list; what was typed stays. */
    close() {
      this.#session.stop();
      this.#rows = [];
      this.#list.replaceChildren();
      this.#show();
    }

    /** @param {string} message why this was not called; empty when there is nothing to say */
    say(message) {
      const place = this.querySelector('[data-part="error"]');
      const text = this.querySelector('[data-part="error-text"]');
      if (text) {
        text.textContent = message;
      }
      place?.toggleAttribute("hidden", !message);
      if (message) {
        this.input.setAttribute("aria-invalid", "true");
      } else {
        this.input.removeAttribute("aria-invalid");
      }
    }

    get #list() {
      return /** @type {HTMLElement} */ (this.querySelector('[data-part="list"]'));
    }

    #nameParts() {
      fields += 1;
      this.#prefix = `number-${fields}`;
      this.input.id = this.#prefix;
      this.querySelector("label")?.setAttribute("for", this.#prefix);
      this.#list.id = `${this.#prefix}-list`;
      this.input.setAttribute("aria-controls", this.#list.id);
      const error = this.querySelector('[data-part="error"]');
      if (error) {
        error.id = `${this.#prefix}-error`;
        this.input.setAttribute("aria-describedby", error.id);
      }
    }

    #typed() {
      this.say("");
      if (!this.input.value.trim()) {
        this.close();
        this.#tell("");
        return;
      }
      this.#move(-1);
      this.#session.ask(this.input.value);
    }

    /** @param {KeyboardEvent} event */
    #pressed(event) {
      if (event.isComposing || event.ctrlKey || event.metaKey) {
        return;
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.#step(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter" && this.current) {
        event.preventDefault();
        this.#choose(this.current);
      } else if (event.key === "Escape" && !this.#list.hidden) {
        event.preventDefault();
        event.stopPropagation();
        this.close();
      } else if (["Home", "End", "ArrowLeft", "ArrowRight"].includes(event.key)) {
        this.#move(-1);
      }
    }

    /** @param {1 | -1} direction round the list, with the text itself between last and first */
    #step(direction) {
      if (!this.#rows.length) {
        if (this.input.value.trim()) {
          this.#session.ask(this.input.value);
        }
        return;
      }
      const places = this.#rows.length + 1;
      this.#move(((this.#current + 1 + direction + places) % places) - 1);
    }

    /** @param {number} index of the row to move to; -1 is the text */
    #move(index) {
      this.#current = index;
      for (const [place, option] of [...this.#list.children].entries()) {
        option.setAttribute("aria-selected", String(place === index));
      }
      const option = this.#list.children[index];
      if (option) {
        this.input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        this.input.removeAttribute("aria-activedescendant");
      }
    }

    /** @param {Event} event */
    #clicked(event) {
      const option = event.target instanceof Element && event.target.closest('[role="option"]');
      const row = option && this.#rows[[...this.#list.children].indexOf(option)];
      if (row) {
        this.#choose(row);
      }
    }

    /** @param {SearchRow} row */
    #choose(row) {
      this.input.value = row.number;
      this.close();
      this.dispatchEvent(new RowChosen(row));
    }

    /** @param {Event} event */
    #answered(event) {
      if (!(event instanceof Suggested)) {
        return;
      }
      const { text, answer } = /** @type {Suggested<SearchAnswer>} */ (event);
      const chosen = this.current;
      this.#rows = answer.results;
      this.#list.replaceChildren(
        ...answer.results.map((row, place) => this.#draw(row, place, text)),
      );
      // Rows of a late source push others down: the one somebody moved to stays his.
      this.#move(
        chosen
          ? this.#rows.findIndex((row) => row.number === chosen.number && row.name === chosen.name)
          : -1,
      );
      this.#show();
      this.#tell(
        answer.results.length
          ? counted("results", answer.results.length)
          : word("results-none", { text }),
        answer.sources,
      );
    }

    #failed() {
      this.close();
      this.#tell(word("search-failed"));
    }

    #show() {
      const isOpen = this.#rows.length > 0;
      this.#list.hidden = !isOpen;
      this.input.setAttribute("aria-expanded", String(isOpen));
      if (!isOpen) {
        this.#move(-1);
      }
    }

    /**
     * @param {SearchRow} row
     * @param {number} place
     * @param {string} text what was searched
     */
    #draw(row, place, text) {
      const option = cloneTemplate(document, "#option-template");
      option.id = `${this.#prefix}-option-${place}`;
      const number = row.shown ?? shownNumber(row.number);
      const name = row.name || number;
      const isAnother = place > 0 && this.#rows[place - 1]?.name === row.name;
      fillSlots(option, {
        initials: isAnother ? "" : initials(name),
        number,
        label: ownLabel(row) || word(`kind-${row.kind}`),
        source: row.source,
      });
      option.querySelector('[data-slot="initials"]')?.classList.toggle("avatar--none", isAnother);
      option.querySelector('[data-slot="name"]')?.replaceChildren(...markMatches(name, text));
      const badge = option.querySelector("presence-badge");
      if (!row.user_id) {
        badge?.remove();
      } else if (badge) {
        badge.setAttribute("data-user", row.user_id);
        badge.setAttribute("data-phone", row.phone ?? "unknown");
        badge.setAttribute("data-im", row.im ?? "unknown");
        badge.removeAttribute("title");
      }
      return option;
    }

    /**
     * Said once typing rests, so that a screen reader is not cut short at every letter.
     *
     * @param {string} text
     * @param {SearchSource[]} [sources]
     */
    #tell(text, sources = []) {
      clearTimeout(this.#telling);
      this.#telling = setTimeout(() => {
        this.dispatchEvent(new SourcesTold(text, sources));
      }, 300);
    }
  };
}
