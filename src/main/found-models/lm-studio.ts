/** Models of LM Studio: OWNER/NAME/*.gguf. */
import path from 'node:path';
import type { KnownModel } from '../../shared/model.js';
import { foldersIn, ggufBytes, ggufFilesIn } from './listing.js';

export function lmStudioModels(folder: string): KnownModel[] {
  return foldersIn(folder).flatMap((owner) =>
    foldersIn(path.join(folder, owner)).flatMap((name) => {
      const place = path.join(folder, owner, name);
      return ggufFilesIn(place).map((file) => ({
        model: path.join(place, file),
        name: `${owner}/${file.replace(/\.gguf$/i, '')}`,
        bytes: ggufBytes(place, file),
        exists: true,
        isSample: false,
        place: 'lm-studio' as const,
      }));
    }),
  );
}
