/** Makes an AppImage, one file that runs on most Linux systems without being installed. Needs `mksquashfs`. */
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { MakerBase } from '@electron-forge/maker-base';

const run = promisify(execFile);

/** Linux' names of processors. */
const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' };

const RUNTIME_NOTICE = `This AppImage begins with the AppImage runtime, which opens what follows it:
https://github.com/AppImage/type2-runtime (MIT). It holds, among others, squashfuse (BSD) and libfuse (LGPL 2.1); their
sources and how to build the runtime anew are at that address.
`;

/**
 * Its config: `bin`, the program's name; `icon`, a PNG file; `categories` of the desktop's menu; `runtime`, the file of
 * the AppImage runtime for the processor, which stands before the archive.
 */
export class MakerAppImage extends MakerBase {
  name = 'AppImage';
  defaultPlatforms = ['linux'];
  requiredExternalBinaries = ['mksquashfs'];

  isSupportedOnCurrentPlatform() {
    return process.platform === 'linux';
  }

  /** @returns the path of the AppImage */
  async make({ dir, makeDir, appName, packageJSON, targetArch }) {
    const name = `${appName}-${packageJSON.version}-${ARCHITECTURES[targetArch]}.AppImage`;
    const file = path.resolve(makeDir, 'AppImage', targetArch, name);
    await this.ensureFile(file);
    const work = await mkdtemp(path.join(os.tmpdir(), 'hopscotch-appimage-'));
    try {
      const content = path.join(work, 'AppDir');
      await this.#fill(content, dir, appName, packageJSON.description);
      // gzip is what every runtime can read.
      const archive = path.join(work, 'archive');
      await run('mksquashfs', [
        content,
        archive,
        '-root-owned',
        '-noappend',
        '-comp',
        'gzip',
        '-quiet',
        '-no-progress',
      ]);
      await copyFile(this.config.runtime, file);
      await pipeline(createReadStream(archive), createWriteStream(file, { flags: 'a' }));
      await chmod(file, 0o755);
    } finally {
      await rm(work, { recursive: true });
    }
    return [file];
  }

  /** Lays the app out as an AppImage wants it: what is started, a menu entry and an icon at the top. */
  async #fill(content, app, appName, description) {
    const { bin, icon, categories } = this.config;
    const inside = path.join('usr/lib', bin);
    const notices = path.join(content, 'usr/share/doc', bin);
    await mkdir(notices, { recursive: true });
    await cp(app, path.join(content, inside), { recursive: true, verbatimSymlinks: true });
    // The packaged folder may be its maker's alone.
    await chmod(path.join(content, inside), 0o755);
    await symlink(path.join(inside, bin), path.join(content, 'AppRun'));
    await copyFile(icon, path.join(content, `${bin}.png`));
    await symlink(`${bin}.png`, path.join(content, '.DirIcon'));
    await writeFile(path.join(notices, 'appimage-runtime.txt'), RUNTIME_NOTICE);
    const entry = [
      '[Desktop Entry]',
      'Type=Application',
      `Name=${appName}`,
      `Comment=${description}`,
      `Exec=${bin} %U`,
      `Icon=${bin}`,
      `Categories=${categories.join(';')};`,
      'Terminal=false',
    ];
    await writeFile(path.join(content, `${bin}.desktop`), `${entry.join('\n')}\n`);
  }
}
