/** How the app is packaged: `npm run package` for a folder that runs, `npm run make` for installers. */
import { execFileSync } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MakerDeb } from '@electron-forge/maker-deb';
import { MakerDMG } from '@electron-forge/maker-dmg';
import { MakerSquirrel } from '@electron-forge/maker-squirrel';
import { MakerZIP } from '@electron-forge/maker-zip';
import { FusesPlugin } from '@electron-forge/plugin-fuses';
import { FuseV1Options, FuseVersion } from '@electron/fuses';
import { MakerAppImage } from './maker-appimage.mjs';
import { MakerRpm } from './maker-rpm.mjs';

const root = path.resolve(import.meta.dirname, '..');
const icon = path.join(root, 'assets/icons/hopscotch');

/** How Linux' desktops show the app. */
const LINUX = { bin: 'hopscotch', icon: `${icon}.png`, categories: ['Development', 'Science'] };

/** What lists of packages show of it, in a line. */
const SUMMARY = 'Slims ONNX language models for your own task';

/** Everything else is bundled by Vite. */
const NATIVE_PACKAGES = ['onnxruntime-node', 'onnxruntime-common'];

/** Of the project's files only these go into the app. */
const PACKAGED = ['/package.json', '/LICENSE', '/dist-app'];

/**
 * For tests without internet: a folder with a zip of another Electron, and its version. What is made so is for tests
 * only.
 */
const { HOPSCOTCH_ELECTRON_ZIP_DIR: electronZipDir, HOPSCOTCH_ELECTRON_VERSION: electronVersion } =
  process.env;

/** @type {import('@electron-forge/shared-types').ForgeConfig} */
const config = {
  packagerConfig: {
    name: 'Hopscotch',
    executableName: 'hopscotch',
    appBundleId: 'org.hopscotch.app',
    appCategoryType: 'public.app-category.developer-tools',
    icon,
    // The engine may also run in a plain Node, and onnxruntime's libraries are loaded by the system: neither can read
    // an archive. The sample model is opened by onnxruntime itself.
    asar: { unpack: '**/{dist-app/engine,node_modules/onnxruntime-*}/**' },
    extraResource: [path.join(root, 'assets/sample'), path.join(root, 'assets/icons')],
    ignore: (file) => file !== '' && !PACKAGED.some((kept) => file === kept || file.startsWith(`${kept}/`)),
    prune: false,
    ...(electronZipDir ? { electronZipDir } : {}),
    ...signing(),
  },
  makers: [
    new MakerZIP({}, ['linux', 'darwin']),
    new MakerDeb({ options: { ...LINUX, description: SUMMARY, section: 'science', mimeType: [] } }),
    ...linuxMakersWithTools(),
    new MakerSquirrel({ setupIcon: `${icon}.ico`, ...windowsSigning() }),
    new MakerDMG({ icon: `${icon}.icns` }),
  ],
  plugins: [
    new FusesPlugin({
      version: FuseVersion.V1,
      [FuseV1Options.RunAsNode]: false,
      [FuseV1Options.EnableCookieEncryption]: true,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
      // Playwright drives a packaged app through the inspector; only what tests build may have it.
      [FuseV1Options.EnableNodeCliInspectArguments]: process.env.HOPSCOTCH_PACKAGE_TEST === '1',
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
      [FuseV1Options.OnlyLoadAppFromAsar]: true,
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
    }),
  ],
  hooks: {
    readPackageJson: (_config, manifest) => {
      // The packaged manifest, which goes through here too, has none.
      const { devDependencies } = manifest;
      if (electronVersion && devDependencies) devDependencies.electron = electronVersion;
      return Promise.resolve(manifest);
    },
    generateAssets: () => {
      execFileSync(process.execPath, [path.join(root, 'scripts/build-app.mjs')], { stdio: 'inherit' });
      return Promise.resolve();
    },
    packageAfterCopy: async (_config, buildPath, _version, platform, architecture) => {
      await writeManifest(buildPath);
      for (const name of NATIVE_PACKAGES) {
        await cp(path.join(root, 'node_modules', name), path.join(buildPath, 'node_modules', name), {
          recursive: true,
        });
      }
      await keepOnePlatform(path.join(buildPath, 'node_modules/onnxruntime-node'), platform, architecture);
      await removeSourceMaps(path.join(buildPath, 'dist-app'));
      if (platform === 'darwin') await keepLicences(buildPath);
    },
  },
};

/**
 * An .rpm where rpmbuild is installed; an AppImage where mksquashfs is, and HOPSCOTCH_APPIMAGE_RUNTIME names the file of
 * the runtime.
 */
function linuxMakersWithTools() {
  const runtime = process.env.HOPSCOTCH_APPIMAGE_RUNTIME;
  return [
    new MakerRpm({ ...LINUX, description: SUMMARY }),
    ...(runtime ? [new MakerAppImage({ ...LINUX, runtime: path.resolve(runtime) })] : []),
  ].filter((maker) => maker.externalBinariesExist());
}

/** Signed and notarised where the secrets are there (CONTRIBUTING.md); otherwise as it is. */
function signing() {
  const { APPLE_SIGNING_IDENTITY: identity, APPLE_ID: appleId } = process.env;
  const { APPLE_APP_PASSWORD: appleIdPassword, APPLE_TEAM_ID: teamId } = process.env;
  if (!identity) return {};
  const osxSign = { identity };
  return appleId && appleIdPassword && teamId
    ? { osxSign, osxNotarize: { appleId, appleIdPassword, teamId } }
    : { osxSign };
}

/** Windows' installer, signed where there is a certificate. */
function windowsSigning() {
  const { WINDOWS_CERTIFICATE_FILE: certificateFile, WINDOWS_CERTIFICATE_PASSWORD: certificatePassword } =
    process.env;
  return certificateFile ? { certificateFile, certificatePassword } : {};
}

/** On macOS the licences of Chromium lie beside the app, which alone is installed. */
async function keepLicences(buildPath) {
  const resources = path.dirname(buildPath);
  for (const name of ['LICENSE', 'LICENSES.chromium.html']) {
    const beside = path.resolve(resources, '../../..', name);
    await cp(beside, path.join(resources, name));
  }
}

/** The manifest that the packaged app needs, and no more. */
async function writeManifest(buildPath) {
  const file = path.join(buildPath, 'package.json');
  const { name, productName, version, description, license, type, main, author } = JSON.parse(
    await readFile(file, 'utf8'),
  );
  const manifest = { name, productName, version, description, license, type, main, author };
  await writeFile(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** onnxruntime-node brings the libraries of all platforms. */
async function keepOnePlatform(folder, platform, architecture) {
  const [api] = await readdir(path.join(folder, 'bin'));
  const binaries = path.join(folder, 'bin', api);
  for (const system of await readdir(binaries)) {
    for (const processor of await readdir(path.join(binaries, system))) {
      if (system === platform && processor === architecture) continue;
      await rm(path.join(binaries, system, processor), { recursive: true });
    }
  }
  for (const unneeded of ['lib', 'script', 'README.md']) {
    await rm(path.join(folder, unneeded), { recursive: true, force: true });
  }
}

async function removeSourceMaps(folder) {
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.map')) await rm(path.join(folder, name));
  }
}

export default config;
