import { readdirSync } from 'node:fs';
import type { Area } from './area.ts';

/** Imports the compiled area `name` from the folder `areas`. @throws Error that lists the areas when there is none of that name. */
export async function loadArea(name: string, areas: URL): Promise<Area> {
  const names = readdirSync(areas).flatMap((file) => file.match(/^([a-z-]+)\.js$/)?.[1] ?? []);
  if (!names.includes(name)) throw new Error(`no area is named ${name}; there are: ${names.join(', ')}`);
  const module = (await import(new URL(`${name}.js`, areas).href)) as { readonly area: Area };
  return module.area;
}
