/** @import { Api } from "./api.js" */
/** @import { CallStore } from "./call-store.js" */
/** @import { Handset } from "./types.js" */

import { ApiError } from "./api.js";
import { shownNumber } from "./numbers.js";
import { cloneTemplate, fillSlots, showPhase } from "./slots.js";
import { span } from "./times.js";

const PAUSE = 400;
const IN_CALL = ["ringing", "calling", "talking", "held"];

/**
 * `<demo-phones data-state>`: the handsets of the simulated phone system, as they are now.
 *
 * A real handset tells nobody but the PBX what happens on it, so the page asks again and again
 * while it is in sight.
 *
 * @param {Api} api
 * @param {CallStore} calls
 */
export function demoPhones(api, calls) {
  return class DemoPhones extends HTMLElement {
    #detach = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #next;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      this.addEventListener("submit", (event) => this.#submitted(event), { signal });
      this.addEventListener("click", (event) => this.#typed(event), { signal });
      calls.addEventListener("change", () => this.#showStep(), { signal });
      document.addEventListener("visibilitychange", () => this.#refresh(), { signal });
      this.#showStep();
      this.#refresh();
    }

    disconnectedCallback() {
      clearTimeout(this.#next);
      this.#detach.abort();
    }

    async #refresh() {
      clearTimeout(this.#next);
      if (document.hidden) {
        return;
      }
      await this.#show(api.handsets(this.dataset.state ?? ""));
      clearTimeout(this.#next);
      if (!this.#detach.signal.aborted) {
        this.#next = setTimeout(() => this.#refresh(), PAUSE);
      }
    }

    /** @param {Promise<Handset[]>} answer */
    async #show(answer) {
      const error = this.querySelector('[data-part="error"]');
      try {
        const phones = await answer;
        error?.toggleAttribute("hidden", phones.length > 0);
        this.#draw(phones);
      } catch (reason) {
        if (!(reason instanceof ApiError)) {
          throw reason;
        }
        error?.removeAttribute("hidden");
      }
    }

    /** @param {Handset[]} phones */
    #draw(phones) {
      const there = new Set(phones.map((phone) => phone.extension));
      for (const handset of this.querySelectorAll("[data-handset]")) {
        if (!there.has(handset.getAttribute("data-handset") ?? "")) {
          handset.remove();
        }
      }
      for (const phone of phones) {
        const place = `[data-handset="${CSS.escape(phone.extension)}"]`;
        const handset = /** @type {HTMLElement | null} */ (this.querySelector(place));
        this.#fill(handset ?? this.#add(phone), phone);
      }
    }

    /** @param {Handset} phone */
    #add(phone) {
      const handset = cloneTemplate(this, 'template[data-part="handset"]');
      handset.dataset.handset = phone.extension;
      handset.setAttribute("aria-label", phone.extension);
      this.querySelector('[data-part="desk"]')?.append(handset);
      return handset;
    }

    /**
     * @param {HTMLElement} handset
     * @param {Handset} phone
     */
    #fill(handset, phone) {
      const state = stateOf(phone);
      const number = shownNumber(phone.number ?? "");
      const isNamed = phone.name_shown && phone.name_shown !== phone.number;
      handset.dataset.state = state;
      showPhase(handset, state, phone.outside ? "outside" : "desk");
      fillSlots(handset, {
        name: phone.name || shownNumber(phone.extension),
        extension: shownNumber(phone.extension),
        who: phone.state === "idle" ? "" : `${isNamed ? phone.name_shown : ""} ${number}`.trim(),
        duration: state === "talking" ? span(phone.since) : "",
      });
      this.#enable(handset, "answer", state === "ringing");
      this.#enable(handset, "hang_up", IN_CALL.includes(state));
    }

    /**
     * @param {HTMLElement} handset
     * @param {string} form
     * @param {boolean} isPossible
     */
    #enable(handset, form, isPossible) {
      const button = handset.querySelector(`[data-form="${form}"] button`);
      button?.toggleAttribute("disabled", !isPossible);
    }

    /** @param {SubmitEvent} event */
    async #submitted(event) {
      const form = event.target;
      const handset = form instanceof Element && form.closest("[data-handset]");
      if (!(form instanceof HTMLFormElement) || !(handset instanceof HTMLElement)) {
        return;
      }
      event.preventDefault();
      const isRefusal = form.dataset.form === "hang_up" && handset.dataset.state === "ringing";
      const action = isRefusal ? "reject" : form.dataset.form;
      const base = (this.dataset.state ?? "").replace(/state\/$/, "");
      const data = new FormData(form);
      form.reset();
      const extension = encodeURIComponent(handset.dataset.handset ?? "");
      await this.#show(api.useHandset(`${base}${extension}/${action}/`, data));
    }

    /** @param {Event} event a key of the handset's own pad */
    #typed(event) {
      const key = event.target instanceof Element ? event.target.closest("[data-key]") : null;
      const input = key?.closest("form")?.querySelector("input[name=number]");
      if (key && input instanceof HTMLInputElement) {
        input.value += key.getAttribute("data-key");
      }
    }

    /** Which of the three steps is next, by the user's own newest call. */
    #showStep() {
      const phase = calls.live.at(-1)?.state ?? "";
      document.querySelector('[data-part="steps"]')?.setAttribute("data-phase", phase);
    }
  };
}

/** @param {Handset} phone */
function stateOf(phone) {
  if (!phone.plugged) {
    return "unplugged";
  }
  return phone.state === "idle" && phone.do_not_disturb ? "dnd" : phone.state;
}
