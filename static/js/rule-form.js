import { shownNumber } from "./numbers.js";
import { fillSlots, showPhase } from "./slots.js";

/**
 * `<rule-form>` around a form with the choices `route`, `number` and maybe `im` or `only_by_hand`: its sentence says
 * what the choices would do, before they are saved. Each sentence is in the page, by the choices
 * it belongs to.
 */
export class RuleForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.#draw());
  }

  #draw() {
    const form = this.querySelector("form");
    const sentence = this.querySelector("[data-part=sentence]");
    if (!form || !sentence) {
      return;
    }
    const chosen = new FormData(form);
    const number = String(chosen.get("number") ?? "").trim();
    const route = String(chosen.get("route") ?? "nothing");
    const im = chosen.get("im") === "busy" ? "busy" : chosen.has("only_by_hand") ? "hand" : "same";
    const isMissing = route === "number" && !number;
    sentence.classList.toggle("sentence--off", isMissing || (route === "nothing" && im !== "busy"));
    showPhase(sentence, isMissing ? "missing" : `${im}-${route}`);
    fillSlots(sentence, { number: shownNumber(number) });
  }
}
