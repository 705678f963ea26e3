/** Made-up documents with every field that there is, of both generations. */

import type { Row } from './unfold.js';

const start = Date.parse('2026-11-20T10:00:00.123Z');

/** As the vendor's field tables have it today. */
export const current: Row = {
  ...{ tenantId: 'abc12345', userSessionId: 'JKLMNO-0', startTime: start, endTime: start + 61_000 },
  ...{
    partNumber: 1,
    duration: 61_000,
    endReason: 'TIMEOUT',
    appVersion: '4.2.0',
    clientType: 'Desktop Browser',
  },
  ...{
    internalUserId: 'u-1',
    userId: 'ann@example.com',
    userType: 'REAL_USER',
    newUser: true,
    bounce: false,
  },
  ...{
    applicationType: 'WEB_APPLICATION',
    userActionCount: 2,
    totalErrorCount: 1,
    totalLicenseCreditCount: 1,
  },
  ...{ hasError: true, hasCrash: false, crashGroupId: null, userExperienceScore: 'TOLERATED' },
  ...{
    numberOfRageClicks: 1,
    numberOfRageTaps: 0,
    matchingConversionGoals: ['bought'],
    matchingConversionGoalsCount: 1,
  },
  ...{
    ip: '192.0.2.17',
    isp: 'Some Net',
    continent: 'Europe',
    country: 'Austria',
    region: 'Tyrol',
    city: 'Lienz',
  },
  ...{ browserType: 'Desktop Browser', browserFamily: 'Firefox', browserMajorVersion: 'Firefox 132' },
  ...{
    browserMonitorId: 'SYNTHETIC_TEST-1',
    browserMonitorName: 'shop',
    osFamily: 'Linux',
    osVersion: 'Linux 6',
  },
  ...{
    manufacturer: 'Acme',
    device: 'Slab 3',
    rootedOrJailbroken: null,
    carrier: 'Tel',
    networkTechnology: '5G',
  },
  ...{ connectionType: 'WIFI', screenWidth: 1_920, screenHeight: 1_080, screenOrientation: 'LANDSCAPE' },
  ...{
    displayResolution: 'FHD',
    clientTimeOffset: -12,
    hasSessionReplay: true,
    replayStart: start,
    replayEnd: start + 60_000,
  },
  ...{ reasonForNoSessionReplay: 'SAMPLED_OUT', reasonForNoSessionReplayMobile: 'COST_CONTROL' },
  stringProperties: [
    { key: 'plan', value: 'gold' },
    { key: 'digits', value: '12' },
  ],
  longProperties: [
    { key: 'visits', value: 7 },
    { key: 'large', value: '9223372036854775807' },
  ],
  doubleProperties: [
    { key: 'basket', value: 59.9 },
    { key: 'whole', value: 3 },
  ],
  dateProperties: [
    { key: 'joined', value: '2026-01-02T03:04:05Z' },
    { key: 'said', value: 'last week' },
  ],
  userActions: [
    {
      ...{
        name: 'loading of page /cart',
        type: 'Load',
        startTime: start,
        endTime: start + 1_500,
        duration: 1_500,
      },
      ...{ application: 'shop', internalApplicationId: 'APPLICATION-1', domain: 'shop.example.com' },
      ...{ targetUrl: 'https://shop.example.com/cart', apdexCategory: 'TOLERATING', keyUserAction: true },
      ...{ internalKeyUserActionId: 'APPLICATION_METHOD-1', hasCrash: false, customErrorCount: 0 },
      ...{ javascriptErrorCount: 1, requestErrorCount: 2, matchingConversionGoals: ['seen'] },
      ...{ syntheticEvent: 'open', syntheticEventId: 'SYNTHETIC_TEST_STEP-1', navigationStart: start - 5 },
      ...{ requestStart: 3, responseStart: 90, responseEnd: 120, documentInteractiveTime: 400 },
      ...{ domContentLoadedTime: 420, domCompleteTime: 1_300, loadEventStart: 1_300, loadEventEnd: 1_310 },
      ...{ visuallyCompleteTime: 900, speedIndex: 800, firstInputDelay: 4, largestContentfulPaint: 850 },
      ...{
        cumulativeLayoutShift: 0.0312,
        totalBlockingTime: 20,
        networkTime: 50,
        serverTime: 60,
        frontendTime: 1_390,
      },
      ...{
        firstPartyResources: 12,
        firstPartyBusyTime: 300,
        thirdPartyResources: 4,
        thirdPartyBusyTime: 200,
      },
      ...{ cdnResources: 2, cdnBusyTime: 80, userActionPropertyCount: 4 },
      stringProperties: [{ key: 'coupon', value: 'none' }],
      longProperties: [{ key: 'items', value: 3 }],
      doubleProperties: [{ key: 'total', value: 59.9 }],
      dateProperties: [{ key: 'due', value: '2026-12-01' }],
    },
    {
      name: 'click on pay',
      type: 'Xhr',
      startTime: start + 2_000,
      endTime: null,
      apdexCategory: null,
      navigationStart: null,
    },
  ],
  events: [
    {
      ...{ type: 'PageChange', name: '/pay', startTime: start + 3_000, application: 'shop' },
      ...{ internalApplicationId: 'APPLICATION-1', domain: 'shop.example.com', metadata: 'm', page: '/pay' },
      ...{ pageGroup: '/pay', pageReferrer: '/cart', pageReferrerGroup: '/cart' },
    },
    { type: 'UserTag', name: 'ann@example.com', startTime: start + 4_000 },
  ],
  errors: [
    {
      ...{ type: 'Error', name: 'x is undefined', startTime: start + 5_000, application: 'shop' },
      ...{ internalApplicationId: 'APPLICATION-1', domain: 'shop.example.com' },
    },
  ],
  syntheticEvents: [
    {
      ...{ syntheticEventId: 'SYNTHETIC_TEST_STEP-1', sequenceNumber: 1, name: 'open', type: 'navigate' },
      ...{ timestamp: start + 10, errorCode: 404, errorName: 'not found' },
    },
  ],
};

/** As documents were written some years ago: a phone, with a crash. */
export const older: Row = {
  ...{
    tenantId: 'abc12345',
    userSessionId: '17_4',
    startTime: start,
    endTime: start + 9_000,
    duration: 9_000,
  },
  ...{
    internalUserId: '17',
    userType: 'REAL_USER',
    applicationType: 'MOBILE_APPLICATION',
    bounce: true,
    newUser: false,
  },
  ...{ userActionCount: 1, totalErrorCount: 1, ip: '2001:db8::17', hasCrash: true, isp: 'Some Net' },
  ...{
    geolocationContinentName: 'Africa',
    geolocationCountryName: 'Ghana',
    geolocationRegionName: 'Ashanti',
  },
  ...{ geolocationCityName: 'Kumasi', osFamilyName: 'Android', osVersionName: 'Android 7', userId: 'bob' },
  stringTags: { tier: 'silver' },
  numTags: { score: 1.5, level: 4, odd: 'many' },
  dateTags: { since: start },
  userActions: [
    {
      ...{
        name: 'Pay',
        type: 'Custom',
        startTime: start,
        endTime: start + 23,
        duration: 23,
        application: 'till',
      },
      ...{
        errorCount: 4,
        failedImages: 1,
        failedXhrRequests: 2,
        httpRequestsWithErrors: 3,
        speedIndex: null,
      },
    },
  ],
  events: [],
  errors: [{ type: 'Crash', name: 'NullPointer', startTime: start + 9_000, application: 'till' }],
};
