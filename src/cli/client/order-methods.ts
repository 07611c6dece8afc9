/** RPCs about one agent that order something or ask why, apart from the others so that a `ps` does not load their codecs. */
import * as intents from '../../wire/gen/fleet/v1/intent.ts';
import * as orders from '../../wire/gen/fleet/v1/orders.ts';
import * as rosters from '../../wire/gen/fleet/v1/roster.ts';
import { ExplainAgentRequest, ExplainAgentResponse } from '../../wire/gen/fleet/v1/terminal.ts';
import { methodOf } from './methods.ts';

const path = (name: string): string => `/fleet.v1.FleetService/${name}`;

export const sendText = methodOf(path('SendText'), orders.SendTextRequest, orders.OrderOutcome);
export const pressKeys = methodOf(path('PressKeys'), orders.PressKeysRequest, orders.OrderOutcome);
export const answerPrompt = methodOf(path('AnswerPrompt'), orders.AnswerPromptRequest, orders.OrderOutcome);
export const controlAgent = methodOf(path('ControlAgent'), orders.ControlAgentRequest, orders.OrderOutcome);
export const getRoster = methodOf(path('GetRoster'), rosters.GetRosterRequest, rosters.GetRosterResponse);
export const putRoster = methodOf(path('PutRoster'), rosters.PutRosterRequest, orders.OrderOutcome);
export const putIntent = methodOf(path('PutIntent'), intents.PutIntentRequest, intents.IntentState);
export const getIntent = methodOf(path('GetIntent'), intents.GetIntentRequest, intents.IntentState);
export const getOrder = methodOf(path('GetOrder'), orders.GetOrderRequest, orders.OrderOutcome);
export const explainAgent = methodOf(path('ExplainAgent'), ExplainAgentRequest, ExplainAgentResponse);
