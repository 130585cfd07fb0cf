/** Room in memory for the weights of one segment at a time. */

/** What holds the room, and gives it up when another one needs it. */
export interface LoadedSegment {
  unload(): Promise<void>;
}

/** Room for one loaded segment, of whichever model: who opens another one gives up the one before. */
export class SegmentSlot {
  #loaded: LoadedSegment | undefined;

  async take(session: LoadedSegment | undefined): Promise<void> {
    const before = this.#loaded;
    if (before === session) return;
    this.#loaded = session;
    await before?.unload();
  }
}
