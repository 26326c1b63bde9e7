/** Version of the software, as in its package; sent in records and shown in status. */
export const VERSION = '0.1.0'
