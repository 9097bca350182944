import type { App, AppName, AppOptions } from './app.ts';
import { moneyApp } from './money/app.ts';
import { ordersApp } from './orders/app.ts';

export const createApp: Readonly<Record<AppName, (options: AppOptions) => Promise<App>>> = {
  money: moneyApp,
  orders: ordersApp,
};
