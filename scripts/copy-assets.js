// Puts beside the compiled code what tsc leaves behind: the .proto files, which src reads at run time.
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

for (const file of await readdir(join(root, "src"), { recursive: true })) {
  if (!file.endsWith(".proto")) continue;
  const target = join(root, "dist", file);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(join(root, "src", file), target);
}
