/** Makes an .rpm for Fedora, openSUSE and their kin. Needs `rpmbuild`. */
import path from 'node:path';
import { MakerBase } from '@electron-forge/maker-base';

/** rpm's names of processors. */
const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' };

const specTemplate = path.join(import.meta.dirname, 'rpm.spec.ejs');

/** Its config: the options of electron-installer-redhat. */
export class MakerRpm extends MakerBase {
  name = 'rpm';
  defaultPlatforms = ['linux'];
  requiredExternalBinaries = ['rpmbuild'];

  isSupportedOnCurrentPlatform() {
    return process.platform === 'linux';
  }

  /** @returns the paths of what was made */
  async make({ dir, makeDir, targetArch }) {
    // Not installed on Windows.
    const { default: makeRpm } = await import('electron-installer-redhat');
    const folder = path.resolve(makeDir, 'rpm', targetArch);
    await this.ensureDirectory(folder);
    const { packagePaths } = await makeRpm({
      options: { ...this.config, specTemplate },
      arch: ARCHITECTURES[targetArch],
      src: dir,
      dest: folder,
    });
    return packagePaths;
  }
}
