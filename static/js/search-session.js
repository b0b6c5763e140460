/** @import { SearchSource } from "./types.js" */

const PAUSE = 80;
const ASK_AGAIN = [150, 400, 1000];

/**
 * Suggestions for `text`, the latest that was asked.
 *
 * @template {{ sources: SearchSource[] }} Answer
 */
export class Suggested extends Event {
  /**
   * @param {string} text
   * @param {Answer} answer
   */
  constructor(text, answer) {
    super("answer");
    this.text = text;
    this.answer = answer;
  }
}

/**
 * Asks for suggestions while somebody types: after a short pause, and again while a source still
 * searches. Answers to an older text, and older answers to the same, are dropped.
 *
 * Events: `answer` ({@link Suggested}) and `failed`.
 *
 * @template {{ sources: SearchSource[] }} Answer
 */
export class SearchSession extends EventTarget {
  #search;
  /** Which question is the latest; all others have been overtaken. */
  #latest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #abort = new AbortController();

  /** @param {(text: string, signal: AbortSignal) => Promise<Answer>} search */
  constructor(search) {
    super();
    this.#search = search;
  }

  /** @param {string} text what stands in the field now; empty asks nothing */
  ask(text) {
    this.stop();
    if (text.trim()) {
      this.#timer = setTimeout(() => this.#ask(text.trim(), 0), PAUSE);
    }
  }

  /** Nobody waits for an answer any more. */
  stop() {
    this.#latest += 1;
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /**
   * @param {string} text
   * @param {number} round how often it was asked before
   */
  async #ask(text, round) {
    this.#latest += 1;
    const question = this.#latest;
    try {
      const answer = await this.#search(text, this.#abort.signal);
      if (question !== this.#latest) {
        return;
      }
      this.dispatchEvent(new Suggested(text, answer));
      const isSearching = answer.sources.some((source) => source.state === "searching");
      if (isSearching && round < ASK_AGAIN.length) {
        this.#timer = setTimeout(() => this.#ask(text, round + 1), ASK_AGAIN[round]);
      }
    } catch {
      if (question === this.#latest) {
        this.dispatchEvent(new Event("failed"));
      }
    }
  }
}
