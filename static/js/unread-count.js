/** @import { VoicemailNews } from "./voicemail-news.js" */

import { counted } from "./words.js";

/**
 * `<unread-count>`: how many voice messages are new; nothing for none.
 *
 * @param {VoicemailNews} news
 */
export function unreadCount(news) {
  return class UnreadCount extends HTMLElement {
    #detach = new AbortController();

    connectedCallback() {
      this.#detach = new AbortController();
      news.addEventListener("change", () => this.#draw(), { signal: this.#detach.signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
    }

    #draw() {
      const [count, words] = this.children;
      if (count && words) {
        count.textContent = String(news.unread);
        words.textContent = counted("unread", news.unread);
      }
      this.toggleAttribute("hidden", news.unread === 0);
    }
  };
}
