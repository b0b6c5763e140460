/**
 * `<number-rows>`: the numbers of a contact's form. Writing into the last empty row brings another;
 * without a script there are two at a time.
 */
export class NumberRows extends HTMLElement {
  #detach = new AbortController();

  connectedCallback() {
    this.#detach = new AbortController();
    this.addEventListener("input", () => this.#grow(), { signal: this.#detach.signal });
  }

  disconnectedCallback() {
    this.#detach.abort();
  }

  #grow() {
    const rows = [...this.querySelectorAll(".number-row")];
    const last = rows.at(-1);
    if (!last || !fieldOf(last).value.trim()) {
      return;
    }
    const next = /** @type {HTMLElement} */ (last.cloneNode(true));
    fieldOf(next).value = "";
    fieldOf(next).removeAttribute("aria-invalid");
    fieldOf(next).removeAttribute("aria-describedby");
    next.querySelector(".field__error")?.remove();
    const preferred = /** @type {HTMLInputElement} */ (next.querySelector('[name="preferred"]'));
    preferred.value = String(rows.length);
    preferred.checked = false;
    this.append(next);
  }
}

/**
 * @param {Element} row
 * @returns {HTMLInputElement}
 */
function fieldOf(row) {
  return /** @type {HTMLInputElement} */ (row.querySelector('[name="number"]'));
}
