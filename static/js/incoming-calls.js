/** @import { CallActions } from "./call-actions.js" */
/** @import { CallStore } from "./call-store.js" */

import { showPeer } from "./call-peer.js";
import { CallChanged } from "./call-store.js";
import { phaseOf, textsOf } from "./call-view.js";
import { cloneTemplate, fillSlots } from "./slots.js";

/**
 * `<incoming-calls>`: a note for every call that rings the user's phone. It never takes the focus:
 * somebody may be typing.
 *
 * @param {CallStore} calls
 * @param {CallActions} actions
 */
export function incomingCalls(calls, actions) {
  return class IncomingCalls extends HTMLElement {
    #detach = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      calls.addEventListener("change", (event) => this.#changed(event), { signal });
      this.addEventListener("submit", (event) => this.#submitted(event), { signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    /** @param {Event} event */
    #changed(event) {
      if (!(event instanceof CallChanged)) {
        return;
      }
      const { id } = event;
      const call = calls.get(id);
      const note = this.querySelector(`[data-call="${CSS.escape(id)}"]`);
      if (!call || phaseOf(call) !== "incoming") {
        note?.remove();
      } else {
        const shown = note ?? this.#add(id);
        fillSlots(shown, textsOf(call));
        showPeer(shown, call);
      }
    }

    /** @param {string} id */
    #add(id) {
      const note = cloneTemplate(this, 'template[data-part="call"]');
      note.dataset.call = id;
      for (const [part, selector] of [
        ["labelledby", ".toast__name"],
        ["describedby", ".toast__facts"],
      ]) {
        const text = note.querySelector(selector ?? "");
        if (text) {
          text.id = `incoming-${part}-${id}`;
          note.setAttribute(`aria-${part}`, text.id);
        }
      }
      this.append(note);
      return note;
    }

    /** @param {SubmitEvent} event */
    #submitted(event) {
      const note = event.target instanceof Element && event.target.closest("[data-call]");
      if (note instanceof HTMLElement) {
        event.preventDefault();
        actions.act(note, event.submitter?.dataset.action ?? "");
      }
    }
  };
}
