/** The parts of a campaign, told as they end: one that is wrong keeps no other from being run. */
export class Parts {
  /** Whether all were right so far. */
  sound = true;

  /** Runs a part, which answers what it found. */
  async tell(title: string, work: () => Promise<string>): Promise<void> {
    try {
      console.log(`ok      ${title}: ${await work()}`);
    } catch (error) {
      this.sound = false;
      console.log(`WRONG   ${title}: ${(error as Error).message}`);
    }
  }
}
