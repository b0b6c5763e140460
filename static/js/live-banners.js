import { fillSlots } from "./slots.js";
import { clock, serverTime } from "./times.js";

/**
 * `<live-banners>`: what outside this page is not answering, since when. One at a time: without a
 * connection nobody knows how the phone system is.
 */
export class LiveBanners extends HTMLElement {
  /** @type {Map<string, string>} which are wanted, and since when, most important first */
  #wanted = new Map([
    ["signed-out", ""],
    ["lost", ""],
    ["pbx", ""],
  ]);

  connectedCallback() {
    const pbx = this.querySelector('[data-banner="pbx"]:not([hidden])');
    this.#wanted.set("pbx", pbx?.querySelector("[data-slot]")?.textContent ?? "");
  }

  /**
   * @param {"signed-out" | "lost" | "pbx"} name
   * @param {string | number} [since] ISO 8601 or milliseconds; now, if not known
   */
  raise(name, since = serverTime()) {
    this.#wanted.set(name, clock(since));
    this.#draw();
  }

  /** @param {"lost" | "pbx"} name */
  lower(name) {
    this.#wanted.set(name, "");
    this.#draw();
  }

  #draw() {
    const shown = [...this.#wanted].find(([, since]) => since)?.[0];
    for (const banner of this.querySelectorAll("[data-banner]")) {
      const name = banner.getAttribute("data-banner") ?? "";
      fillSlots(banner, { since: this.#wanted.get(name) ?? "" });
      banner.toggleAttribute("hidden", name !== shown);
    }
  }
}
