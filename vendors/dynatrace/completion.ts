/**
 * When a batch is complete: as soon as it is there, for it is gathered of bodies that have come and were answered with 200.
 * Nothing more of it can come, and nothing of it can be asked for again: "Dynatrace doesn't read the response entirely,
 * only the HTTP status return code", and does not send again what was answered so. So a batch is never waited for. Its
 * bodies are gone only where they were deleted, `keepInbox` after it had come to rest.
 */

import {
  rests,
  whatStays,
  type Asked,
  type Clock,
  type Decision,
  type Sighting,
  type Standing,
} from '../completion.js';

/**
 * What to do about a batch now. One that is final, skipped or discarded rests unless somebody asks. Without its bodies
 * nothing can be loaded, whoever asks: what readers see stays, and where they see nothing the batch has failed.
 */
export function decide(sighting: Sighting, ledger: Standing, _clock: Clock, asked: Asked): Decision {
  const { finality } = ledger;
  if (rests(finality, asked)) {
    const again = finality === 'final' ? 'load it again' : 'load it';
    return {
      step: 'rest',
      reason: `It is ${finality} already and stays as it is; reprocess it to ${again}, while its bodies are in the inbox.`,
    };
  }
  const { marker } = sighting;
  if (marker) return { step: 'load', marker, finality: 'final', reason: 'Its bodies are in the inbox.' };
  const gone =
    'Its bodies are no longer in the inbox, which keeps them for keepInbox after a delivery has come to rest. ' +
    whatStays(ledger);
  if (ledger.published) return { step: 'rest', reason: `${gone} It cannot be loaded again.` };
  return {
    step: 'giveUp',
    as: 'failed',
    reason: `${gone} It cannot be loaded, and Dynatrace does not send its sessions again; skip it to leave it at that.`,
  };
}
