/**
 * Whether a role can do its work, in parts. Being alive is another matter: a process that answers at
 * all is alive, since nothing that is wrong around it would be mended by a restart.
 */
export class Health {
  readonly #obstacles = new Map<string, string>();

  /** Says why a part cannot work, or, with undefined, that it works. */
  set(part: string, obstacle: string | undefined): void {
    if (obstacle === undefined) this.#obstacles.delete(part);
    else this.#obstacles.set(part, obstacle);
  }

  /** What keeps the role from being ready, a line each; empty when it is. */
  get obstacles(): string[] {
    return [...this.#obstacles].map(([part, obstacle]) => `${part}: ${obstacle}`);
  }
}
