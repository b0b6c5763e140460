/** @import { Caller } from "./caller.js" */

import { RowChosen, SourcesTold } from "./number-field.js";
import { word } from "./words.js";

/**
 * `<dialer-box>`: the drop-down of the menu bar. Opening puts the focus into the field; a call
 * closes it and gives the focus back; what can't be called is told under the field.
 *
 * @param {Caller} caller
 */
export function dialerBox(caller) {
  return class DialerBox extends HTMLElement {
    #detach = new AbortController();
    /** What was left in the field when the panel opened. */
    #leftover = "";

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      const panel = this.#panel;
      panel.addEventListener("beforetoggle", () => this.#remember(), { signal });
      panel.addEventListener("toggle", (event) => this.#toggled(event), { signal });
      panel.addEventListener("sources", (event) => this.#tellSources(event), { signal });
      panel.addEventListener("choose", (event) => this.#chosen(event), { signal });
      panel.addEventListener("submit", (event) => this.#submitted(event), { signal });
      this.#button?.setAttribute("aria-expanded", String(panel.matches(":popover-open")));
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    /** Open it, or put the focus back into it. */
    open() {
      if (this.#panel.matches(":popover-open")) {
        this.#field.input.select();
      } else {
        this.#panel.showPopover();
        this.#field.input.focus();
      }
    }

    get #panel() {
      return /** @type {HTMLElement} */ (this.querySelector("[popover]"));
    }

    get #button() {
      return document.querySelector(`[popovertarget="${this.#panel.id}"]`);
    }

    get #field() {
      return /** @type {InstanceType<ReturnType<typeof import("./number-field.js").numberField>>} */ (
        this.querySelector("number-field")
      );
    }

    #remember() {
      this.#leftover = this.#field.input.value;
    }

    /**
     * `toggle` comes some time after the panel has opened: what was typed since is not to be
     * selected, or the next letter would replace it.
     *
     * @param {Event} event
     */
    #toggled(event) {
      const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
      this.#button?.setAttribute("aria-expanded", String(isOpen));
      if (isOpen) {
        this.#field.input.focus();
        if (this.#field.input.value === this.#leftover) {
          this.#field.input.select();
        }
      } else {
        this.#field.say("");
        this.#field.close();
      }
    }

    /** @param {Event} event */
    #chosen(event) {
      if (event instanceof RowChosen) {
        this.#call(event.row.number);
      }
    }

    /** @param {Event} event */
    #submitted(event) {
      event.preventDefault();
      this.#call(this.#field.current?.number ?? this.#field.input.value);
    }

    /** @param {string} number as typed: the server reads it, and says why if it can't */
    async #call(number) {
      const field = this.#field;
      field.say("");
      const refusal = await caller.call(number);
      if (refusal === undefined) {
        this.#panel.hidePopover();
        field.clear();
      } else {
        field.close();
        field.say(refusal);
        field.input.focus();
      }
    }

    /** @param {Event} event */
    #tellSources(event) {
      if (!(event instanceof SourcesTold)) {
        return;
      }
      const { text, sources } = event;
      const parts = sources.map((source) => {
        const part = document.createElement("span");
        part.className = source.state === "ok" ? "source" : `source source--${source.state}`;
        part.textContent =
          source.state === "ok"
            ? source.name
            : word(`source-${source.state}`, { source: source.name });
        return part;
      });
      const count = document.createElement("span");
      count.textContent = text;
      this.querySelector('[data-part="sources"]')?.replaceChildren(
        ...(text ? [count] : []),
        ...parts,
      );
    }
  };
}
