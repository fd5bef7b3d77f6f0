import { refuseVendorTelemetry, settingsOrExit, type Settings } from './config.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** What every serving process has before it starts its own part. */
export interface ProcessParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Running {
  /** Where it listens, `http://host:port`; `null` for a process that does not. */
  readonly address: string | null;
  /** Takes nothing new, finishes what is under way, lets go of everything. */
  stop(): Promise<void>;
}

/** What a process tells the supervisor that started it. */
export interface ProcessMessage {
  readonly type: 'listening';
  readonly address: string | null;
}

/** Requests under way get this long; then the process ends anyway. Milliseconds. */
const patience = 5_000;

/**
 * The life of a serving process: settings, start, and an end that is always the same, whether a signal asks for it or the supervisor is gone.
 * A mistake that nobody caught ends the process: its state is unknown, and the supervisor starts a clean one.
 */
export async function runMain(name: string, start: (parts: ProcessParts) => Promise<Running>): Promise<void> {
  const settings = settingsOrExit('serving');
  refuseVendorTelemetry();
  const log = createLog({ level: settings.logLevel, file: settings.logFile, process: name, turnOverMib: settings.keep.logMib });
  let running: Running | null = null;
  let ending = false;

  const end = (code: number): never => {
    log.flush();
    process.exit(code);
  };
  const stop = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info('process.stopping', { signal });
    setTimeout(() => {
      log.warn('process.cut-short', { milliseconds: patience });
      end(0);
    }, patience).unref();
    (running?.stop() ?? Promise.resolve()).then(
      () => end(0),
      (error: unknown) => {
        log.error('process.stop-failed', {}, error);
        end(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  process.on('disconnect', () => stop('supervisor gone'));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.error('process.failed', { reason: event }, error);
      end(1);
    });
  }

  try {
    running = await start({ settings, log, metrics: createMetrics(name) });
  } catch (error) {
    log.error('process.start-failed', {}, error);
    // Before anybody is served the text is the operator's only clue, and there are no requests whose values it could quote.
    process.stderr.write(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    end(1);
    return;
  }
  log.info('process.started', { address: running.address, pid: process.pid });
  const message: ProcessMessage = { type: 'listening', address: running.address };
  process.send?.(message);
}
