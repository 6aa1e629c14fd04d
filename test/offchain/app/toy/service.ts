export interface Greeting {
  readonly by: string;
  readonly words: string;
}

/** What the toy's actions use. */
export interface Greetings {
  readonly longest: number;
  leave(greeting: Greeting): Promise<Greeting>;
  list(): Promise<Greeting[]>;
}
