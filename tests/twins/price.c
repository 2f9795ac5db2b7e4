// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what the pin controllers in Rust and in C cost, on a machine on which an instruction takes a nanosecond, and tries the
 * mailbox in C.
 *
 * twins=price does that and switches off: it takes the devices from the drivers in Rust, and gives them back. twins=first has
 * the twins registered before the drivers in Rust, so that a test of these is one of those.
 */

#include <linux/completion.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/mailbox_client.h>
#include <linux/math.h>
#include <linux/pinctrl/consumer.h>
#include <linux/pinctrl/machine.h>
#include <linux/pinctrl/pinctrl.h>
#include <linux/pinctrl/pinmux.h>
#include <linux/platform_device.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "core.h"
#include "twins.h"

#define PINCTRL		"30010000.pinctrl"
#define MAILBOX		"31000000.mailbox"
#define CLIENT		"3f020000.selftest"
#define USER		"twin-user"

#define TIMES		1000
#define MESSAGES	40
/* How long the other side may take, in ms. */
#define PATIENCE	1000

/* The first two functions of the tables, which any pin of the first twelve has, and one of these. */
#define GPIO		0
#define PWM		1
#define PIN		3

static char mode[8] __initdata;

static int __init twin_mode(char *text)
{
	strscpy(mode, text);
	return 0;
}
early_param("twins", twin_mode);

static int __init twin_first(void)
{
	int ret;

	if (strcmp(mode, "first"))
		return 0;
	ret = platform_driver_register(&twin_mailbox_driver);
	return ret ?: platform_driver_register(&twin_pinctrl_driver);
}
arch_initcall(twin_first);

static void __init failed(const char *what, int error)
{
	pr_info("FAILED %s: %d\n", what, error);
}

static void __init report(const char *what, const char *whose, u64 count)
{
	pr_info("BENCH %s-%s %llu\n", what, whose, count);
}

typedef int (*set_mux_fn)(struct pinctrl_dev *pctldev, unsigned int function, unsigned int group);

static noinline int __init nothing(struct pinctrl_dev *pctldev, unsigned int function,
				   unsigned int group)
{
	return 0;
}

/* The instructions of all calls, and of the loop. */
static u64 __init count_set_mux(set_mux_fn set_mux, struct pinctrl_dev *pctldev)
{
	unsigned long flags;
	unsigned int i;
	int ret = 0;
	u64 start;

	local_irq_save(flags);
	start = ktime_get_ns();
	for (i = 0; i < TIMES; i++)
		ret |= set_mux(pctldev, i % 2 ? PWM : GPIO, PIN);
	start = ktime_get_ns() - start;
	local_irq_restore(flags);
	if (ret)
		failed("set_mux", ret);
	return start;
}

/* The instructions of a user of a pin who chooses between two functions. */
static u64 __init count_select(struct device *user)
{
	struct pinctrl_state *states[2];
	struct pinctrl *pinctrl;
	unsigned int i;
	int ret = 0;
	u64 start;

	pinctrl = pinctrl_get(user);
	if (IS_ERR(pinctrl)) {
		failed("pinctrl_get", PTR_ERR(pinctrl));
		return 0;
	}
	states[0] = pinctrl_lookup_state(pinctrl, "gpio");
	states[1] = pinctrl_lookup_state(pinctrl, "pwm");
	if (IS_ERR(states[0]) || IS_ERR(states[1])) {
		failed("pinctrl_lookup_state", -ENOENT);
		pinctrl_put(pinctrl);
		return 0;
	}
	start = ktime_get_ns();
	for (i = 0; i < TIMES; i++)
		ret |= pinctrl_select_state(pinctrl, states[i % 2]);
	start = ktime_get_ns() - start;
	if (ret)
		failed("pinctrl_select_state", ret);
	pinctrl_put(pinctrl);
	return start;
}

static const struct pinctrl_map maps[] __initconst = {
	PIN_MAP_MUX_GROUP(USER, "gpio", PINCTRL, "GPIO3", "gpio"),
	PIN_MAP_MUX_GROUP(USER, "pwm", PINCTRL, "GPIO3", "pwm"),
};

static void __init price_pinctrl(const char *whose, struct device *user)
{
	struct pinctrl_dev *pctldev = get_pinctrl_dev_from_devname(PINCTRL);
	u64 loop;

	if (!pctldev) {
		failed(whose, -ENODEV);
		return;
	}
	loop = count_set_mux(nothing, pctldev);
	report("set-mux", whose,
	       DIV_ROUND_CLOSEST_ULL(count_set_mux(pctldev->desc->pmxops->set_mux, pctldev) - loop,
				     TIMES));
	report("select-state", whose, DIV_ROUND_CLOSEST_ULL(count_select(user), TIMES));
}

/* What came from the other side, and how much of it was right. */
struct twin_heard {
	struct mbox_client client;
	u32 right;
	u32 wanted;
	bool fifo;
	struct completion all;
};

static void twin_price_received(struct mbox_client *client, void *data)
{
	struct twin_heard *heard = container_of(client, struct twin_heard, client);
	const struct twin_message *message = data;
	u32 command = heard->fifo ? heard->right + 1 : 0x42;

	if (message->command == command && message->data == (heard->fifo ? ~command : 0))
		heard->right++;
	if (heard->right == heard->wanted)
		complete(&heard->all);
}

static struct mbox_chan * __init request(struct twin_heard *heard, struct device *dev, int index,
					 u32 wanted)
{
	heard->client.dev = dev;
	heard->client.rx_callback = twin_price_received;
	heard->client.tx_block = true;
	heard->client.tx_tout = PATIENCE;
	heard->wanted = wanted;
	heard->fifo = index == 0;
	init_completion(&heard->all);
	return mbox_request_channel(&heard->client, index);
}

static bool __init all_heard(struct twin_heard *heard)
{
	return wait_for_completion_timeout(&heard->all, msecs_to_jiffies(PATIENCE));
}

/* Entries and doorbells both ways between the twin and the end of the HSP, whose registers are at `end`. */
static void __init try_mailbox(struct device *dev, void __iomem *end)
{
	static struct twin_heard fifo, doorbells;
	struct mbox_chan *chan;
	struct twin_message message;
	u32 i;

	chan = request(&fifo, dev, 0, MESSAGES);
	if (IS_ERR(chan)) {
		failed("FIFO", PTR_ERR(chan));
		return;
	}
	for (i = 1; i <= MESSAGES; i++) {
		message.data = ~i;
		message.command = i;
		if (mbox_send_message(chan, &message) < 0)
			failed("sent entry", i);
		/* Ten at a time wait there. */
		while (readl(end + 0x58) && (i % 10 == 0)) {
			u32 data = readl(end + 0x54);
			u32 command = readl(end + 0x50);

			if (data != ~command)
				failed("entry", command);
		}
	}
	if (readl(end + 0x58))
		failed("entries left", readl(end + 0x58));
	for (i = 1; i <= MESSAGES; i++) {
		while (readl(end + 0x48) >= 15)
			cond_resched();
		writel(~i, end + 0x44);
		writel(i, end + 0x40);
	}
	if (!all_heard(&fifo))
		failed("received entries", fifo.right);
	mbox_free_channel(chan);

	chan = request(&doorbells, dev, 1, 1);
	if (IS_ERR(chan)) {
		failed("doorbells", PTR_ERR(chan));
		return;
	}
	message.command = 0x81;
	if (mbox_send_message(chan, &message) < 0 || readl(end + 0x1c) != 0x81)
		failed("rung doorbells", readl(end + 0x1c));
	writel(0x81, end + 0x1c);
	writel(0x42, end + 0x14);
	if (!all_heard(&doorbells))
		failed("heard doorbells", doorbells.right);
	mbox_free_channel(chan);
}

/* Takes a device from its driver for one in C, and gives it back after `use`. */
static void __init with_twin(struct device *dev, struct platform_driver *twin,
			     void (*use)(struct device *dev), struct device *user)
{
	int ret;

	device_release_driver(dev);
	ret = platform_driver_register(twin);
	if (ret || dev->driver != &twin->driver) {
		failed(twin->driver.name, ret ?: -ENODEV);
		return;
	}
	use(user);
	platform_driver_unregister(twin);
	ret = device_attach(dev);
	if (ret != 1)
		failed(dev_name(dev), ret);
}

static void __init use_pinctrl(struct device *user)
{
	price_pinctrl("c", user);
}

static void __init use_mailbox(struct device *client)
{
	void __iomem *end = ioremap(0x3f020000, 0x1000);

	if (!end) {
		failed("HSP", -ENOMEM);
		return;
	}
	try_mailbox(client, end);
	iounmap(end);
}

static struct device * __init find(const char *name)
{
	return bus_find_device_by_name(&platform_bus_type, NULL, name);
}

static void __init price(void)
{
	struct device *pinctrl = find(PINCTRL), *mailbox = find(MAILBOX), *client = find(CLIENT);
	struct device *user = root_device_register(USER);
	int ret = pinctrl_register_mappings(maps, ARRAY_SIZE(maps));

	if (!pinctrl || !mailbox || !client || IS_ERR(user) || ret) {
		failed("devices", ret ?: -ENODEV);
		return;
	}
	price_pinctrl("rust", user);
	with_twin(pinctrl, &twin_pinctrl_driver, use_pinctrl, user);
	price_pinctrl("rust-again", user);
	with_twin(mailbox, &twin_mailbox_driver, use_mailbox, client);
	pr_info("BENCH-END complete\n");
}

static int __init twin_price(void)
{
	if (strcmp(mode, "price"))
		return 0;
	price();
	kernel_power_off();
	return 0;
}
late_initcall_sync(twin_price);
