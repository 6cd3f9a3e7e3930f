import { hasPutOff, putOff } from './turns.ts';

/** Milliseconds of work after which the rest waits behind the next look at the network: one frame may bring eight thousand requests. */
const TURN = 0.25;
/** The clock is looked at once for so many steps. */
const STEPS_A_LOOK = 8;

/** Work in small steps that lets others have their turn. Everything that belongs to one owner has one turn together. */
export class WorkTurn {
  readonly #owner: object;
  readonly #goOn: () => void;
  #steps = 0;
  #ends = 0;
  #isOver = false;

  /** @param goOn - called when it is the owner's turn again; must not throw */
  constructor(owner: object, goOn: () => void) {
    this.#owner = owner;
    this.#goOn = goOn;
  }

  /** What is left waits for the next turn. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Something has arrived, in a turn of the event loop that nobody has used. */
  begin(): void {
    if (!hasPutOff(this.#owner)) this.#ends = performance.now() + TURN;
  }

  /** Counts a step. @returns false when it was the last one of the turn */
  step(): boolean {
    if (this.#isOver) return false;
    if (++this.#steps % STEPS_A_LOOK !== 0 || performance.now() <= this.#ends) return true;
    this.#isOver = true;
    putOff(this.#owner, () => {
      this.#isOver = false;
      this.#ends = performance.now() + TURN;
      this.#goOn();
    });
    return false;
  }
}
