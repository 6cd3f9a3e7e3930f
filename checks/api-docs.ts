import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Application,
  type DeclarationReflection,
  Logger,
  LogLevel,
  type ProjectReflection,
  ReflectionKind,
} from 'typedoc';
import { type Findings, readPackages, sourceEntries, type WorkspacePackage } from './workspace.ts';

class CollectingLogger extends Logger {
  readonly messages: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.messages.push(message);
  }
}

/** What an entry exports without a word. Members are free to speak by their names. */
function undocumentedExports(project: ProjectReflection): string[] {
  const kinds =
    ReflectionKind.Class | ReflectionKind.Interface | ReflectionKind.TypeAlias | ReflectionKind.Variable;
  const declarations = project.getReflectionsByKind(
    kinds | ReflectionKind.Function,
  ) as DeclarationReflection[];
  const isDocumented = (declaration: DeclarationReflection): boolean =>
    declaration.hasComment() || declaration.signatures?.every((signature) => signature.hasComment()) === true;
  const silent = declarations.filter((declaration) => !isDocumented(declaration));
  return silent.map((declaration) => `${declaration.getFullName()} has no TSDoc`);
}

async function convertPackage(pkg: WorkspacePackage, json: string): Promise<string[]> {
  const app = await Application.bootstrap({
    name: pkg.manifest.name,
    entryPoints: sourceEntries(pkg).map(([, file]) => file),
    tsconfig: join(pkg.directory, 'tsconfig.build.json'),
    basePath: pkg.directory,
    readme: 'none',
    disableGit: true,
    sourceLinkTemplate: '',
    disableSources: true,
    excludeExternals: true,
    excludePrivate: true,
    validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: false },
  });
  const logger = new CollectingLogger();
  app.logger = logger;
  const project = await app.convert();
  if (project !== undefined) {
    app.validate(project);
    await app.generateJson(project, json);
    logger.messages.push(...undocumentedExports(project));
  }
  return logger.messages.map((message) => `${pkg.manifest.name}: ${message}`);
}

/** Builds the API documents of all packages into `docs/api`; every warning of typedoc is a finding. */
export async function checkApiDocs(root: string): Promise<Findings> {
  const packages = (await readPackages(root)).filter(({ manifest }) => manifest.private !== true);
  const parts = join(root, 'node_modules', '.cache', 'typedoc');
  await rm(parts, { recursive: true, force: true });
  await mkdir(parts, { recursive: true });
  const findings: string[] = [];
  const files: string[] = [];
  for (const pkg of packages) {
    const json = join(parts, `${pkg.shortName}.json`);
    findings.push(...(await convertPackage(pkg, json)));
    files.push(json);
  }
  const app = await Application.bootstrap({
    name: 'NewZoneCore',
    entryPointStrategy: 'merge',
    entryPoints: files,
    readme: join(root, 'README.md'),
  });
  const logger = new CollectingLogger();
  app.logger = logger;
  const project = await app.convert();
  if (project !== undefined) await app.generateDocs(project, join(root, 'docs', 'api'));
  return [...findings, ...logger.messages];
}
