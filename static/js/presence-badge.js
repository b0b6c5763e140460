/** @import { PresenceStore } from "./presence-store.js" */
/** @import { ImState, PhoneState } from "./types.js" */

import { PersonChanged } from "./presence-store.js";
import { inSentence, word } from "./words.js";

/**
 * `<presence-badge data-user>`: the two signs of one person, phone before chat.
 *
 * The server draws it whole; this keeps it true while the page stands open. It says `watch` up the
 * tree when it comes and goes, for the page to ask the live socket for the right people.
 *
 * @param {PresenceStore} store
 */
export function presenceBadge(store) {
  return class PresenceBadge extends HTMLElement {
    #detach = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      store.addEventListener("change", (event) => this.#changed(event), { signal });
      store.addEventListener("lost", () => this.show("unknown", "unknown"), { signal });
      this.#refresh();
      document.dispatchEvent(new Event("presence-watch"));
    }

    disconnectedCallback() {
      this.#detach.abort();
      document.dispatchEvent(new Event("presence-watch"));
    }

    /**
     * @param {PhoneState} phone
     * @param {ImState} im
     */
    show(phone, im) {
      this.classList.toggle("presence--ringing", phone === "ringing");
      this.dataset.phone = phone;
      this.dataset.im = im;
      this.#draw("phone", "ph", phone);
      this.#draw("im", "im", im);
      const phoneWord = word(`phone-${phone}`);
      const imWord = word(`im-${im}`);
      this.#write("phone", phoneWord);
      this.#write("im", imWord);
      this.querySelector('[data-word="phone"]')
        ?.closest(".presence__word")
        ?.classList.toggle("presence__word--ringing", phone === "ringing");
      const summary = word("presence", { phone: inSentence(phoneWord), im: inSentence(imWord) });
      if (this.#write("summary", summary)) {
        this.title = summary;
      }
    }

    #refresh() {
      const person = store.get(this.dataset.user ?? "");
      if (store.isLost) {
        this.show("unknown", "unknown");
      } else {
        const { phone, im } = person ?? this.dataset;
        this.show(/** @type {PhoneState} */ (phone), /** @type {ImState} */ (im));
      }
    }

    /** @param {Event} event */
    #changed(event) {
      if (event instanceof PersonChanged && event.person.user_id === this.dataset.user) {
        this.show(event.person.phone, event.person.im);
      }
    }

    /**
     * The class moves only when the state does, or a ringing sign would start to blink again.
     *
     * @param {"phone" | "im"} part
     * @param {"ph" | "im"} sign
     * @param {string} state
     */
    #draw(part, sign, state) {
      const svg = this.querySelector(`.presence__${part}`);
      const names = `presence__${part} presence__${part}--${state}`;
      if (svg && svg.getAttribute("class") !== names) {
        svg.setAttribute("class", names);
        const sprite = document.documentElement.dataset.sprite ?? "";
        svg.querySelector("use")?.setAttribute("href", `${sprite}#${sign}-${state}`);
      }
    }

    /**
     * @param {"phone" | "im" | "summary"} part
     * @param {string} text
     * @returns {boolean} whether the badge writes that at all
     */
    #write(part, text) {
      const place = this.querySelector(`[data-word="${part}"]`);
      if (place && place.textContent !== text) {
        place.textContent = text;
      }
      return place !== null;
    }
  };
}
