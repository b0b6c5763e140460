/**
 * Words in the reader's language: pages bring them in the template `#words`, scripts hold none.
 */

/**
 * @param {string} key such as `phone-busy`
 * @param {Record<string, string | number>} [values] for the places in braces
 * @returns {string}
 */
export function word(key, values = {}) {
  const template = /** @type {HTMLTemplateElement | null} */ (
    document.querySelector("template#words")
  );
  const text = template?.content.querySelector(`[data-word="${CSS.escape(key)}"]`)?.textContent;
  return (text ?? "").replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/**
 * The form of a word that fits a number, by the rules of the page's language.
 *
 * @param {string} key of which there is a `-one` and an `-other`
 * @param {number} n
 * @returns {string}
 */
export function counted(key, n) {
  const isOne = new Intl.PluralRules(pageLanguage()).select(n) === "one";
  return word(`${key}-${isOne ? "one" : "other"}`, { n });
}

/** @returns {string} the page's language, `en` or `fr` */
export function pageLanguage() {
  return document.documentElement.lang || "en";
}

/**
 * A word inside a sentence: "Phone: busy".
 *
 * @param {string} text
 * @returns {string}
 */
export function inSentence(text) {
  return text.toLocaleLowerCase(pageLanguage());
}
