import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const protocols = ['proto/csi.proto', 'proto/fused.proto', 'proto/pluginregistration.proto'].map((file) => path.join(root, file));

/**
 * Writes the TypeScript types of our protocols to `outDir`, replacing what is there. The options
 * are those with which src/csi/protocols.ts loads the same files: the types describe what the
 * loader really delivers.
 */
export function generateProtoTypes(outDir: string): void {
  const generator = createRequire(import.meta.url).resolve('@grpc/proto-loader/build/bin/proto-loader-gen-types.js');
  fs.rmSync(outDir, { recursive: true, force: true });
  execFileSync(process.execPath, [
    generator, '--keepCase', '--longs=String', '--enums=String', '--defaults', '--oneofs',
    '--grpcLib=@grpc/grpc-js', '--importFileExtension=.ts', `--outDir=${outDir}`, ...protocols,
  ], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const file of fs.readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
    const full = path.join(outDir, file);
    if (fs.statSync(full).isFile()) withoutCheckoutPath(full);
  }
}

/** The generator writes absolute names of its sources; two checkouts must give the same files. */
function withoutCheckoutPath(file: string): void {
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(`${root}${path.sep}`, ''));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generateProtoTypes(path.join(root, 'src/generated'));
