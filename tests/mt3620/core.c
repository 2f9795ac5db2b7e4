// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * What a real-time core runs in the tests of the emulated chip: one of several small programs, chosen by -DMAIN=name. They know
 * the chip by its addresses only, as firmware does.
 */
typedef unsigned int u32;

#define REG(address) (*(volatile u32 *)(address))

#define UART_DATA REG(0x21040000)
#define UART_STATUS REG(0x21040014)
#define GPT_STATUS REG(0x21030000)
#define GPT_ENABLE REG(0x21030004)
#define GPT0_CONTROL REG(0x21030010)
#define GPT0_COUNT REG(0x21030014)
#define WATCHDOG_MODE REG(0x21020030)
#define WATCHDOG_LENGTH REG(0x21020034)
#define MAILBOX_A7 0x21050000
#define MAILBOX_M4 0x21060000
#define EINT_CONFIG(pin) REG(0x21000000 + 4 * (pin))
#define NVIC_ENABLE(word) REG(0xE000E100 + 4 * (word))
#define NVIC_PRIORITY(word) REG(0xE000E400 + 4 * (word))
#define SYSTEM_RESET REG(0xE000ED0C)
#define GROUP2 0x38030000 /* pins 8 to 11 */
#define GROUP3 0x38040000 /* pins 12 to 15 */

static void put(const char *text)
{
	for (; *text; text++) {
		while (!(UART_STATUS & 0x20))
			;
		UART_DATA = *text;
	}
}

static void put_number(u32 number)
{
	static const char digits[] = "0123456789abcdef";
	char text[9];

	for (int i = 0; i < 8; i++)
		text[i] = digits[number >> (28 - 4 * i) & 0xF];
	text[8] = 0;
	put(text);
	put("\n");
}

static void wait(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

/* A core that polls lets the others run, where they share one thread of the host. */
static void pause(void)
{
	__asm__ volatile("yield");
}

static volatile u32 ticks;
static volatile u32 in_fault;

/* It says that it runs, and how many priority bits its interrupt controller has. */
void hello(void)
{
	put("hello\n");
	NVIC_PRIORITY(0) = 0xFF;
	put_number(NVIC_PRIORITY(0));
	wait();
}

/* It shows pin 12 on pin 8, at each interrupt. */
void mirror(void)
{
	REG(GROUP2 + 0x24) = 1;
	EINT_CONFIG(12) = 1 << 7;
	NVIC_ENABLE(1) = 1;
	put("ready\n");
	wait();
}

/* It counts ten interrupts of its timer. */
void timer(void)
{
	GPT_ENABLE = 1;
	GPT0_COUNT = 2;
	NVIC_ENABLE(0) = 1 << 1;
	GPT0_CONTROL = 3;
	while (ticks < 10)
		__asm__ volatile("wfi");
	GPT0_CONTROL = 0;
	put("ten\n");
	wait();
}

/* It answers each entry, with a command one higher, to whom it came from. */
void echo(void)
{
	put("ready\n");
	for (;; pause()) {
		static const u32 mailboxes[] = { MAILBOX_A7, MAILBOX_M4 };

		for (int i = 0; i < 2; i++) {
			if (REG(mailboxes[i] + 0x58)) {
				u32 data = REG(mailboxes[i] + 0x54);
				u32 command = REG(mailboxes[i] + 0x50);

				REG(mailboxes[i] + 0x44) = data;
				REG(mailboxes[i] + 0x40) = command + 1;
			}
		}
	}
}

/* It asks the other core, and tells what that answers. */
void ask(void)
{
	REG(MAILBOX_M4 + 0x44) = 0x1234;
	REG(MAILBOX_M4 + 0x40) = 0x40;
	while (!REG(MAILBOX_M4 + 0x58))
		pause();
	put_number(REG(MAILBOX_M4 + 0x54));
	put_number(REG(MAILBOX_M4 + 0x50));
	wait();
}

/* It takes addresses from its mailbox and tells what lies there, and turns it around. */
void reach(void)
{
	put("ready\n");
	for (;; pause()) {
		if (REG(MAILBOX_A7 + 0x58)) {
			u32 address = REG(MAILBOX_A7 + 0x50);

			put_number(REG(address));
			REG(address) = ~REG(address);
		}
	}
}

/* It reads what an earlier program may have left behind. */
void remains(void)
{
	put_number(REG(0x22000000));
	REG(0x22000000) = 0x5EC2E7;
	put_number(REG(0x22000000));
	wait();
}

/* It faults while it takes a fault. */
void lockup(void)
{
	put("locking up\n");
	in_fault = 1;
	REG(0xD0000000) = 0;
	wait();
}

/* It does not feed its watchdog. */
void starve(void)
{
	put("starving\n");
	WATCHDOG_LENGTH = 4 << 5 | 8;
	WATCHDOG_MODE = 0x2201;
	wait();
}

/* It resets itself, once. */
void restart(void)
{
	u32 before = REG(0x22000004);

	REG(0x22000004) = before + 1;
	put_number(before);
	if (!before)
		SYSTEM_RESET = 0x05FA0004;
	wait();
}

void reset(void)
{
	MAIN();
}

/* A fault is told, and ends the program. */
void fault(void)
{
	if (in_fault)
		REG(0xD0000000) = 0;
	put("fault\n");
	wait();
}

void on_timer(void)
{
	GPT_STATUS = 1;
	ticks = ticks + 1;
}

void on_pin12(void)
{
	u32 level = REG(GROUP3 + 0x04) & 1;

	REG(GROUP2 + (level ? 0x14 : 0x18)) = 1;
	put(level ? "high\n" : "low\n");
}

extern u32 stack_top;

__attribute__((section(".vectors"), used)) const void *const vectors[16 + 100] = {
	[0] = &stack_top,
	[1] = reset,
	[3] = fault,
	[16 + 1] = on_timer,
	[16 + 32] = on_pin12,
};
