/**
 * A number as the site's country writes it; extensions and anything else stay as they are.
 * The server knows every country's way and sends it along (`shown`); this is for what never came
 * from there.
 *
 * @param {string} number
 * @param {string} [country] ISO 3166, the site's
 * @returns {string}
 */
export function shownNumber(number, country = document.documentElement.dataset.country) {
  const national = country === "FR" ? number.replace(/^(?:\+|00)33(?=[1-9]\d{8}$)/, "0") : number;
  return country === "FR" && /^0\d{9}$/.test(national)
    ? national.replace(/(\d\d)(?=\d)/g, "$1\u00a0")
    : number;
}

/**
 * What somebody's book calls a number in its own word, "secretary"; "other" is the word for none.
 *
 * @param {{ kind: string, label: string }} row
 * @returns {string} empty where the kind says it all
 */
export function ownLabel({ kind, label }) {
  return kind === "other" && label !== kind ? label : "";
}
