/** Lines as Leanplum writes them: a session with 5 states, 20 events and 10 parameters, some 3 kB. */
export function* sessionLines(count: number): Generator<string> {
  const id = idsFrom(1);
  for (let number = 0; number < count; number += 1) {
    const at = 1_591_474_962_721 + number * 1_000;
    const event = (index: number): string => {
      const parameters =
        index % 4 === 0 ? `,"parameters":{"item":"sku-${index}","price":"${number % 97}.50"}` : '';
      const name = `E_Event_${(number + index) % 50}`;
      return `{"eventId":${id()},"name":"${name}","time":${seconds(at + index * 10)},"value":${index % 3}.0${parameters}}`;
    };
    const state = (index: number): string => {
      const events = [0, 1, 2, 3].map((place) => event(index * 4 + place)).join();
      // An event outside of any state comes in one without a name.
      const known =
        index === 4
          ? ''
          : `"name":"Screen ${index}","time":${seconds(at + index)},"duration":${index}.25,"parameters":{"tab":"${index}"},`;
      return `{"stateId":${id()},${known}"events":[${events}]}`;
    };
    const experiment = '{"id":800315004,"variantId":796675005}';
    yield (
      `{"country":"US","firstRun":${seconds(at - 1e9)},"priorStates":0,"experiments":[${experiment},${experiment}],` +
      `"lon":"-100.13395690917969","lat":"67.8536262512207","isSession":true,"deviceId":"device-${number % 50_000}",` +
      `"states":[${[0, 1, 2, 3, 4].map(state).join()}],"duration":${number % 100}.125,` +
      `"userAttributes":{"Mailto Is Default":"True","plan":"free"},"sessionId":"${1e15 + number}",` +
      `"userId":"user-${number % 50_000}","timezoneOffsetSeconds":-25200,"priorTimeSpentInApp":38830.438,` +
      `"time":${seconds(at)},"userBucket":767,"appVersion":"1.2.3","client":"ios","sdkVersion":"2.0.5",` +
      `"systemName":"iOS","systemVersion":"13.5","deviceModel":"iPhone12,1","locale":"en_US",` +
      `"timezone":"America/Los_Angeles","region":"CA","city":"San Francisco"}\n`
    );
  }
}

/** `"1.591474962721E9"` */
function seconds(milliseconds: number): string {
  const digits = String(milliseconds);
  return `"${digits.slice(0, 1)}.${digits.slice(1)}E9"`;
}

/** Numbers of 19 digits, of either sign, the same each time. */
function idsFrom(seed: number): () => string {
  let state = seed;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647);
  const nine = (): string => String(next() % 1e9).padStart(9, '0');
  return () => `${next() % 2 === 0 ? '-' : ''}${(next() % 8) + 1}${nine()}${nine()}`;
}
