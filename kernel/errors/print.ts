import { writeFile } from 'node:fs/promises';
import { errorCodesPage } from './error-codes-page.ts';

await writeFile(new URL('../../docs/error-codes.md', import.meta.url), errorCodesPage());
