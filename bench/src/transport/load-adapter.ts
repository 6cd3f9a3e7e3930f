import type { Adapter } from './adapter.ts';

/** Imports the adapter of a contestant by its name. */
export async function loadAdapter(name: string | undefined): Promise<Adapter> {
  if (name === undefined || !/^[a-z0-9-]+$/.test(name)) throw new TypeError(`no contestant is named ${name}`);
  const module = (await import(`./adapters/${name}.js`)) as { readonly adapter: Adapter };
  return module.adapter;
}
