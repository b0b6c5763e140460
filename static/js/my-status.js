/** @import { Api } from "./api.js" */
/** @import { PresenceStore } from "./presence-store.js" */
/** @import { MyStatus } from "./types.js" */

import { ApiError } from "./api.js";
import { PersonChanged } from "./presence-store.js";
import { fillSlots, showPhase } from "./slots.js";
import { endOfToday, moment, serverTime } from "./times.js";
import { inSentence, word } from "./words.js";

const MINUTE = 60_000;

/**
 * `<my-status data-user>`: the reader's own status, why it holds and until when, and the form to
 * set it. With `data-standing` it stands only while that is the reason.
 *
 * Each tab reads the status anew when it hears that it changed, wherever that was.
 *
 * @param {PresenceStore} store
 * @param {Api} api
 */
export function myStatus(store, api) {
  return class MyStatusElement extends HTMLElement {
    #detach = new AbortController();
    #isReading = false;
    #isDue = false;
    #seen = "";

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      store.addEventListener("change", (event) => this.#changed(event), { signal });
      this.addEventListener("submit", (event) => this.#submit(event), { signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    /** @param {Event} event */
    #changed(event) {
      if (!(event instanceof PersonChanged) || event.person.user_id !== this.dataset.user) {
        return;
      }
      const { im, message, im_since } = event.person;
      const seen = [im, message, im_since].join();
      if (seen !== this.#seen) {
        this.#seen = seen;
        this.#read();
      }
    }

    async #read() {
      if (this.#isReading) {
        this.#isDue = true;
        return;
      }
      this.#isReading = true;
      do {
        this.#isDue = false;
        try {
          this.#draw(await api.myStatus());
        } catch {
          // The next change, or the next page, says it.
        }
      } while (this.#isDue);
      this.#isReading = false;
    }

    /** @param {MyStatus} status */
    #draw(status) {
      const phase = status.until ? `${status.source}-until` : status.source;
      if (this.dataset.standing) {
        this.toggleAttribute("hidden", phase !== this.dataset.standing);
      } else {
        showPhase(this, phase);
      }
      fillSlots(this, { until: moment(status.until), im: inSentence(word(`im-${status.im}`)) });
      const choice = this.querySelector(`input[name="im"][value="${CSS.escape(status.im)}"]`);
      if (choice instanceof HTMLInputElement && !this.contains(document.activeElement)) {
        choice.checked = true;
      }
    }

    /** @param {SubmitEvent} event */
    async #submit(event) {
      const form = event.target;
      if (!(form instanceof HTMLFormElement)) {
        return;
      }
      event.preventDefault();
      const data = new FormData(form, event.submitter);
      const im = String(data.getAll("im").at(-1) ?? "");
      const isAutomatic = im === "automatic";
      try {
        this.#refuse("");
        const status = await api.setStatus(
          isAutomatic
            ? { im: null }
            : { im, message: String(data.get("message") ?? ""), until: end(data.get("until")) },
        );
        this.#draw(status);
        const message = form.elements.namedItem("message");
        if (isAutomatic && message instanceof HTMLInputElement) {
          message.value = "";
        }
        const menu = this.closest("[popover]");
        if (menu instanceof HTMLElement && menu.matches(":popover-open")) {
          menu.hidePopover();
        }
      } catch (error) {
        this.#refuse(error instanceof ApiError && error.message ? error.message : word("failed"));
      }
    }

    /** @param {string} text */
    #refuse(text) {
      const place = this.querySelector('[data-part="refusal"]');
      if (place) {
        place.textContent = text;
        place.toggleAttribute("hidden", !text);
      }
    }
  };
}

/**
 * @param {FormDataEntryValue | null} choice as the form names it
 * @returns {string | null} as the API wants it
 */
function end(choice) {
  switch (choice) {
    case "half-hour":
      return new Date(serverTime() + 30 * MINUTE).toISOString();
    case "hour":
      return new Date(serverTime() + 60 * MINUTE).toISOString();
    case "meeting":
      return "end_of_meeting";
    case "today":
      return endOfToday();
    default:
      return null;
  }
}
