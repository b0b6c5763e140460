/** @import { Caller } from "./caller.js" */
/** @import { CallActions } from "./call-actions.js" */
/** @import { CallStore } from "./call-store.js" */
/** @import { Call } from "./types.js" */

import { showPeer } from "./call-peer.js";
import { CallChanged } from "./call-store.js";
import { isDone, phaseOf, textsOf } from "./call-view.js";
import { cloneTemplate, fillSlots, showPhase } from "./slots.js";
import { span } from "./times.js";

/** How long an ended call stays in sight. */
const FAREWELL = 8_000;

/**
 * `<call-bar>`: one line for every live call of the user, how the last ones ended, and refusals.
 *
 * The lines the server drew are taken over as they are; their texts and buttons are all there, and
 * the phase says which of them show.
 *
 * @param {CallStore} calls
 * @param {CallActions} actions
 * @param {Caller} caller
 */
export function callBar(calls, actions, caller) {
  return class CallBar extends HTMLElement {
    #detach = new AbortController();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    #ticking;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      calls.addEventListener("change", (event) => this.#changed(event), { signal });
      this.addEventListener("click", (event) => this.#clicked(event), { signal });
      this.addEventListener("submit", (event) => this.#submitted(event), { signal });
      this.addEventListener("keydown", (event) => this.#pressed(event), { signal });
      // The server draws what needs this script hidden.
      for (const line of this.querySelectorAll("[data-call]")) {
        showPhase(line, line.getAttribute("data-phase") ?? "");
      }
      this.#ticking = setInterval(() => this.#tick(), 1000);
    }

    disconnectedCallback() {
      clearInterval(this.#ticking);
      this.#detach.abort();
    }

    /**
     * Say that a call was not placed, where nothing else says it.
     *
     * @param {string} party
     * @param {string} message
     */
    refuse(party, message) {
      const line = this.#lineOf("refused") ?? this.#add("refused");
      line.dataset.phase = "refused";
      showPhase(line, "refused");
      fillSlots(line, { name: party, message, initials: "!" });
    }

    /** @param {string} id */
    #lineOf(id) {
      return /** @type {HTMLElement | null} */ (
        this.querySelector(`[data-call="${CSS.escape(id)}"]`)
      );
    }

    /** @param {string} id */
    #add(id) {
      const line = cloneTemplate(this, 'template[data-part="call"]');
      line.dataset.call = id;
      this.append(line);
      return line;
    }

    /** @param {Event} event */
    #changed(event) {
      if (!(event instanceof CallChanged)) {
        return;
      }
      const { id } = event;
      const call = calls.get(id);
      if (!call || phaseOf(call) === "incoming") {
        this.#lineOf(id)?.remove();
        return;
      }
      this.#lineOf("refused")?.remove();
      this.#draw(this.#lineOf(id) ?? this.#add(id), call);
    }

    /**
     * @param {HTMLElement} line
     * @param {Call} call
     */
    #draw(line, call) {
      const phase = phaseOf(call);
      const hadFocus = line.contains(document.activeElement);
      showPhase(line, phase);
      fillSlots(line, textsOf(call));
      showPeer(line, call);
      if (line.dataset.phase !== phase) {
        line.dataset.phase = phase;
        actions.complain(line, "");
        if (call.state === "ended") {
          this.#closePanels(line);
        }
      }
      line
        .querySelector("[data-emergency]")
        ?.toggleAttribute("hidden", !call.emergency || call.state === "ended");
      const mute = line.querySelector('[data-part="mute"]');
      mute?.setAttribute("aria-pressed", String(call.muted));
      mute?.setAttribute("data-action", call.muted ? "unmute" : "mute");
      if (hadFocus && !line.contains(document.activeElement)) {
        /** @type {HTMLElement | null} */ (line.querySelector(".button"))?.focus();
      }
      if (call.state === "ended" && isDone(call)) {
        setTimeout(() => calls.dismiss(call.id), FAREWELL);
      }
    }

    /** @param {Event} event */
    #clicked(event) {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      const line = button?.closest("[data-call]");
      if (!button || !(line instanceof HTMLElement)) {
        return;
      }
      const id = line.dataset.call ?? "";
      const panel = button.getAttribute("data-opens");
      const action = button.getAttribute("data-action");
      if (panel) {
        this.#toggle(line, panel);
      } else if (action === "close") {
        calls.dismiss(id);
        line.remove();
      } else if (action === "again") {
        this.#callAgain(id);
      }
    }

    /** @param {string} id */
    async #callAgain(id) {
      const call = calls.get(id);
      if (call) {
        calls.dismiss(id);
        const refusal = await caller.call(call.number);
        if (refusal !== undefined) {
          this.refuse(textsOf(call).party ?? "", refusal);
        }
      }
    }

    /** @param {SubmitEvent} event */
    #submitted(event) {
      const form = event.target;
      const line = form instanceof Element && form.closest("[data-call]");
      if (form instanceof HTMLFormElement && line instanceof HTMLElement) {
        event.preventDefault();
        actions.submit(line, form, event.submitter);
      }
    }

    /** @param {KeyboardEvent} event tones, while the keypad is open */
    #pressed(event) {
      const at = event.target instanceof Element ? event.target : null;
      const line = at?.closest('[data-panel="keypad"]')?.closest("[data-call]");
      if (line instanceof HTMLElement && /^[0-9*#]$/.test(event.key) && !event.ctrlKey) {
        event.preventDefault();
        actions.steer(line, "dtmf", { digits: event.key });
      }
    }

    /**
     * @param {HTMLElement} line
     * @param {string} name of the panel to open or to close
     */
    #toggle(line, name) {
      const panel = line.querySelector(`[data-panel="${name}"]`);
      const willOpen = panel?.hasAttribute("hidden") ?? false;
      this.#closePanels(line);
      if (panel && willOpen) {
        panel.removeAttribute("hidden");
        line.querySelector(`[data-opens="${name}"]`)?.setAttribute("aria-expanded", "true");
        /** @type {HTMLElement | null} */ (
          panel.querySelector("input:not([type=hidden]), button")
        )?.focus();
      }
    }

    /** @param {HTMLElement} line */
    #closePanels(line) {
      for (const panel of line.querySelectorAll("[data-panel]")) {
        panel.setAttribute("hidden", "");
      }
      for (const button of line.querySelectorAll("[data-opens]")) {
        button.setAttribute("aria-expanded", "false");
      }
    }

    #tick() {
      for (const call of calls.live) {
        const line = this.#lineOf(call.id);
        if (line && call.answered_at) {
          fillSlots(line, { duration: span(call.answered_at) });
        }
      }
    }
  };
}
