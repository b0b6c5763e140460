/**
 * Forms of one button that is pressed or not, such as a star: `data-form` is their kind, `data-user`
 * whom they are about, and the field `data-part="wanted"` says what the next press asks for. Without a script each
 * press loads the page anew.
 */

import { ApiError } from "./api.js";

const YES = "yes";
const NO = "no";

/**
 * Have the forms of a kind do their work without leaving the page. What the server refuses goes the
 * plain way, to this page again: there it says why. Without an answer nothing changes.
 *
 * @param {string} kind
 * @param {(user: string, isOn: boolean) => Promise<void>} toggle
 */
export function toggleInPlace(kind, toggle) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.form !== kind) {
      return;
    }
    event.preventDefault();
    try {
      await toggle(form.dataset.user ?? "", fieldOf(form)?.value === YES);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code === "no_answer") {
        return;
      }
      const next = form.elements.namedItem("next");
      if (next instanceof HTMLInputElement) {
        next.value = location.pathname + location.search;
      }
      form.submit();
    }
  });
}

/**
 * Show which of a kind are pressed.
 *
 * @param {string} kind
 * @param {(user: string, isPressed: boolean) => boolean} decide whether it is pressed from now on
 */
export function pressToggles(kind, decide) {
  for (const form of document.querySelectorAll(`form[data-form="${kind}"]`)) {
    const button = form.querySelector("button[aria-pressed]");
    const field = fieldOf(form);
    if (button && field) {
      const isPressed = button.getAttribute("aria-pressed") === "true";
      const isOn = decide(form.getAttribute("data-user") ?? "", isPressed);
      button.setAttribute("aria-pressed", String(isOn));
      field.value = isOn ? NO : YES;
    }
  }
}

/** @param {Element} form */
function fieldOf(form) {
  return /** @type {HTMLInputElement | null} */ (form.querySelector('[data-part="wanted"]'));
}
