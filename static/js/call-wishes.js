/** @import { PresenceStore } from "./presence-store.js" */
/** @import { CallWish } from "./types.js" */

import { PersonChanged } from "./presence-store.js";
import { cloneTemplate, fillSlots, showPhase } from "./slots.js";
import { moment, serverTime } from "./times.js";
import { pressToggles } from "./toggles.js";

/**
 * `<call-wishes>`: whom the reader wants to call when they are free, a line each. A line becomes an
 * offer while the phone is available, and says so aloud once; nothing here dials by itself.
 *
 * @param {PresenceStore} store
 */
export function callWishes(store) {
  return class CallWishes extends HTMLElement {
    #detach = new AbortController();
    /** @type {WeakMap<HTMLElement, Record<string, string>>} what each line says, by slot */
    #texts = new WeakMap();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #expiry;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      store.addEventListener("change", (event) => this.#changed(event), { signal });
      store.addEventListener("lost", () => this.#lost(), { signal });
      this.#expire();
    }

    disconnectedCallback() {
      this.#detach.abort();
      clearTimeout(this.#expiry);
    }

    /** @param {CallWish[]} wishes all there are */
    receive(wishes) {
      const wanted = new Set(wishes.map((wish) => wish.user_id));
      for (const line of this.#lines) {
        if (!wanted.has(line.dataset.wish ?? "")) {
          line.remove();
        }
      }
      for (const wish of wishes) {
        const known = this.#line(wish.user_id);
        const line = known ?? this.#add(wish);
        line.dataset.expires = wish.expires_at;
        const texts = { name: wish.name, number: wish.number, until: moment(wish.expires_at) };
        this.#texts.set(line, texts);
        this.#show(line, store.get(wish.user_id)?.phone === "available");
        if (!known) {
          this.#tell(line);
        }
      }
      pressToggles("call-wish", (user) => wanted.has(user));
      this.#expire();
    }

    get #lines() {
      return /** @type {HTMLElement[]} */ ([...this.querySelectorAll("[data-wish]")]);
    }

    /** @param {string} user */
    #line(user) {
      return this.#lines.find((line) => line.dataset.wish === user);
    }

    /** @param {CallWish} wish */
    #add(wish) {
      const line = cloneTemplate(this, 'template[data-part="wish"]');
      line.dataset.wish = wish.user_id;
      for (const part of line.querySelectorAll("[data-user]")) {
        part.setAttribute("data-user", wish.user_id);
      }
      for (const form of line.querySelectorAll("form[data-user]")) {
        const address = form.getAttribute("action") ?? "";
        form.setAttribute("action", address.replace("/0/", `/${wish.user_id}/`));
      }
      for (const form of line.querySelectorAll("form[data-name]")) {
        form.setAttribute("data-name", wish.name);
        form.querySelector('input[name="number"]')?.setAttribute("value", wish.number);
      }
      this.querySelector("ul")?.append(line);
      return line;
    }

    /** @param {Event} event */
    #changed(event) {
      if (!(event instanceof PersonChanged)) {
        return;
      }
      const { user_id: user, phone } = event.person;
      const line = this.#line(user);
      if (line) {
        const wasFree = line.classList.contains("wish--free");
        const isFree = phone === "available";
        this.#show(line, isFree);
        if (isFree && !wasFree) {
          this.#tell(line);
        }
      }
    }

    #lost() {
      for (const line of this.#lines) {
        this.#show(line, false);
      }
    }

    /**
     * @param {HTMLElement} line
     * @param {boolean} isFree
     */
    #show(line, isFree) {
      const texts = this.#texts.get(line) ?? textsOf(line);
      this.#texts.set(line, texts);
      line.classList.toggle("wish--free", isFree);
      showPhase(line, isFree ? "free" : "waiting");
      fillSlots(line, texts);
    }

    /** @param {HTMLElement} line whose news is said aloud, whenever there is time */
    #tell(line) {
      const place = this.querySelector('[data-part="told"]');
      if (place) {
        place.textContent = line.querySelector(".wish__text")?.textContent ?? "";
      }
    }

    /** Take out what has lapsed, and look again when the next does. */
    #expire() {
      clearTimeout(this.#expiry);
      const now = serverTime();
      let next = Number.POSITIVE_INFINITY;
      for (const line of this.#lines) {
        const expires = Date.parse(line.dataset.expires ?? "");
        if (expires <= now) {
          line.remove();
        } else {
          next = Math.min(next, expires);
        }
      }
      const wanted = this.#lines.map((line) => line.dataset.wish);
      this.querySelector("ul")?.toggleAttribute("hidden", !wanted.length);
      if (next < Number.POSITIVE_INFINITY) {
        this.#expiry = setTimeout(() => {
          this.#expire();
          const left = new Set(this.#lines.map((line) => line.dataset.wish));
          pressToggles("call-wish", (user) => left.has(user));
        }, next - now);
      }
    }
  };
}

/**
 * What a line that the server drew says, for the parts of it that come and go.
 *
 * @param {HTMLElement} line
 */
function textsOf(line) {
  const texts = [...line.querySelectorAll("[data-slot]")];
  return Object.fromEntries(
    texts.map((text) => [text.getAttribute("data-slot") ?? "", text.textContent ?? ""]),
  );
}
