/** What the live socket says of the user's voicemail. Event: `change`, whatever changed. */
export class VoicemailNews extends EventTarget {
  unread = 0;

  /** @param {number} unread how many messages have not been heard */
  receive(unread) {
    this.unread = unread;
    this.dispatchEvent(new Event("change"));
  }
}
