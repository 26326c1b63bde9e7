export { OrderModel } from './order-model.ts'
export * from './restore-order.ts'
