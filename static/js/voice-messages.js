/** @import { VoicemailNews } from "./voicemail-news.js" */

/**
 * `<voice-messages>`: the list of the page, drawn anew by the server when something changed.
 *
 * The open message stays as it is, for somebody may be listening; only its list moves. A page that
 * had no list yet is loaded anew.
 *
 * @param {VoicemailNews} news
 */
export function voiceMessages(news) {
  return class VoiceMessages extends HTMLElement {
    #detach = new AbortController();
    #isReading = false;
    #isStale = false;

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      news.addEventListener("change", () => this.#read(), { signal });
      const choice = document.querySelector("[data-choice]");
      document.querySelector('[data-part="choose"]')?.setAttribute("hidden", "");
      choice?.addEventListener(
        "change",
        () => choice instanceof HTMLSelectElement && choice.form?.requestSubmit(),
        { signal },
      );
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    async #read() {
      if (this.#isReading) {
        this.#isStale = true;
        return;
      }
      this.#isReading = true;
      try {
        const response = await fetch(location.href, { signal: this.#detach.signal });
        if (response.ok) {
          this.#draw(new DOMParser().parseFromString(await response.text(), "text/html"));
        }
      } catch {
        // The next change reads again.
      }
      this.#isReading = false;
      if (this.#isStale) {
        this.#isStale = false;
        this.#read();
      }
    }

    /** @param {Document} page */
    #draw(page) {
      const fresh = page.querySelector('voice-messages [data-part="rows"]');
      const shown = this.querySelector('[data-part="rows"]');
      const hasOpened = this.querySelector("[data-message]") !== null;
      if (!fresh || !shown) {
        return;
      }
      if (!hasOpened && page.querySelector("voice-messages [data-message]")) {
        const whole = page.querySelector("voice-messages");
        this.replaceChildren(...(whole ? [...whole.children].map((part) => this.#own(part)) : []));
        return;
      }
      const focused = document.activeElement;
      const place = focused ? [...shown.querySelectorAll("a, button")].indexOf(focused) : -1;
      const label = focused?.getAttribute("href") ?? focused?.getAttribute("aria-label") ?? "";
      shown.replaceChildren(...[...fresh.children].map((row) => this.#own(row)));
      if (place >= 0 && label) {
        const same = [...shown.querySelectorAll("a, button")].find(
          (one) => one.getAttribute("href") === label || one.getAttribute("aria-label") === label,
        );
        if (same instanceof HTMLElement) {
          same.focus();
        }
      }
    }

    /** @param {Element} part of another document */
    #own(part) {
      return document.importNode(part, true);
    }
  };
}
