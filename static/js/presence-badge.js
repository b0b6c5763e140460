/** @import { PresenceStore } from "./presence-store.js" */
/** @import { ImState, Person, PhoneState } from "./types.js" */

import { PersonChanged } from "./presence-store.js";
import { age, moment } from "./times.js";
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
    /** What the title says again when somebody is about to read it: ages grow. */
    #retitle = () => {};

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      store.addEventListener("change", (event) => this.#changed(event), { signal });
      store.addEventListener("lost", () => this.#refresh(), { signal });
      this.addEventListener("pointerenter", () => this.#retitle(), { signal });
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
     * @param {Partial<Person>} [times] since when, where that is known
     */
    show(phone, im, times = {}) {
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
      this.#write("summary", summary);
      this.#retitle = () => {
        this.title = [
          title("phone", phone, phoneWord, times.phone_since),
          title("im", im, imWord, times.im_since),
        ].join("; ");
      };
      this.#retitle();
    }

    #refresh() {
      const person = store.get(this.dataset.user ?? "");
      if (store.isLost) {
        const since = { phone_since: store.lostAt, im_since: store.lostAt };
        this.show("unknown", "unknown", since);
      } else if (person) {
        this.show(person.phone, person.im, person);
      } else if (!this.title) {
        // A script made it: what the server draws has its title, with the times.
        const { phone, im } = this.dataset;
        this.show(/** @type {PhoneState} */ (phone), /** @type {ImState} */ (im));
      }
    }

    /** @param {Event} event */
    #changed(event) {
      if (event instanceof PersonChanged && event.person.user_id === this.dataset.user) {
        this.show(event.person.phone, event.person.im, event.person);
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
     */
    #write(part, text) {
      const place = this.querySelector(`[data-word="${part}"]`);
      if (place && place.textContent !== text) {
        place.textContent = text;
      }
    }
  };
}

/**
 * One half of the signs' title; of what nobody vouches for any more it tells how old the news is.
 *
 * @param {"phone" | "im"} part
 * @param {PhoneState | ImState} state
 * @param {string} shown its word
 * @param {string | null | undefined} since
 */
function title(part, state, shown, since) {
  if (state === "unknown" && since) {
    const { unit, count } = age(since);
    return word(`title-${part}-aged`, {
      time: moment(since),
      age: word(`age-${unit}`, { n: count }),
    });
  }
  const key = since ? `title-${part}-since` : `title-${part}`;
  return word(key, { state: inSentence(shown), time: moment(since) });
}
