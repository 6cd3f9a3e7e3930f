/** A target whose events are typed by a map from name to detail; each arrives as a `CustomEvent`. */
export class TypedEventTarget<Events extends object> extends EventTarget {
  /**
   * Listens until the returned function is called or `signal` aborts.
   * What `listener` throws is reported like any uncaught error and reaches no other listener.
   */
  on<Name extends keyof Events & string>(
    name: Name,
    listener: (detail: Events[Name]) => void,
    options: { readonly signal?: AbortSignal; readonly once?: boolean } = {},
  ): () => void {
    const handle = (event: Event): void => listener((event as CustomEvent<Events[Name]>).detail);
    this.addEventListener(name, handle, options);
    return () => this.removeEventListener(name, handle);
  }

  /** Tells all listeners. */
  emit<Name extends keyof Events & string>(name: Name, detail: Events[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
