// Refusal carries a failure's name (zk/SPEC.md, section 15) and, for a person, what was wrong.
export class Refusal extends Error {
  readonly failure: string;

  constructor(failure: string, why: string) {
    super(`${failure}: ${why}`);
    this.failure = failure;
  }
}

// named runs a step whose every error has one name. A refusal that has a name already keeps it.
export function named<T>(failure: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(failure, error instanceof Error ? error.message : String(error));
  }
}
