// SPDX-License-Identifier: GPL-2.0
/*
 * What modules/mailbox does, in plain C: only to compare the two.
 */

#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mailbox_controller.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include "twins.h"

#define BLOCK_STRIDE	0x10000

#define VER		0x00
#define SW_TX_INT_PORT	0x14
#define SW_RX_INT_EN	0x18
#define SW_RX_INT_STS	0x1c
#define INT_EN		0x38
#define INT_STS		0x3c
#define CMD_POST	0x40
#define DATA_POST	0x44
#define POST_CNT	0x48
#define CMD_POP		0x50
#define DATA_POP	0x54
#define POP_CNT		0x58

#define VER_MT3620	0x36200000
#define DOORBELLS	0xff
#define FIFO_EVENTS	0xf

#define MAX_BLOCKS	8
#define MAX_DEPTH	15
#define POLL_PERIOD	10
#define IRQS_PER_BLOCK	3
#define POSTED_IRQ	0
#define DOORBELL_IRQ	2
#define BURST		16
#define PAUSE		1000

struct twin_line {
	void __iomem *block;
	struct device *dev;
	struct mbox_chan *chan;
	int irq;
	u32 depth;	/* 0 for doorbells */
	u32 found;
	u32 row;
	bool waits;
	struct twin_message kept;
};

static int twin_mailbox_post(struct twin_line *line, const struct twin_message *message)
{
	if (readl(line->block + POST_CNT) >= line->depth)
		return -EBUSY;
	writel(message->data, line->block + DATA_POST);
	writel(message->command, line->block + CMD_POST);
	return 0;
}

static int twin_mailbox_send_data(struct mbox_chan *chan, void *data)
{
	struct twin_line *line = chan->con_priv;
	struct twin_message *message = data;

	if (!message)
		return -EINVAL;
	if (line->depth) {
		if (line->waits)
			return -EBUSY;
		if (twin_mailbox_post(line, message)) {
			line->kept = *message;
			/* Whoever sees it sees the message. */
			smp_store_release(&line->waits, true);
		}
		return 0;
	}
	writel(message->command & DOORBELLS, line->block + SW_TX_INT_PORT);
	return 0;
}

static bool twin_mailbox_last_tx_done(struct mbox_chan *chan)
{
	struct twin_line *line = chan->con_priv;

	/* Pairs with the store where it was kept. */
	if (!line->depth || !smp_load_acquire(&line->waits))
		return true;
	if (twin_mailbox_post(line, &line->kept))
		return false;
	/* The message is not needed any more. */
	smp_store_release(&line->waits, false);
	return true;
}

static bool twin_mailbox_peek_data(struct mbox_chan *chan)
{
	struct twin_line *line = chan->con_priv;

	if (line->depth)
		return readl(line->block + POP_CNT);
	return readl(line->block + SW_RX_INT_STS) & DOORBELLS;
}

static int twin_mailbox_drain(struct twin_line *line, u32 *wrong)
{
	struct twin_message message;
	u32 taken, count;

	for (taken = 0; taken < line->depth; taken++) {
		count = readl(line->block + POP_CNT);
		if (!count)
			break;
		if (count > line->depth) {
			*wrong = count;
			return -EIO;
		}
		message.data = readl(line->block + DATA_POP);
		message.command = readl(line->block + CMD_POP);
		mbox_chan_received_data(line->chan, &message);
	}
	return taken;
}

static irqreturn_t twin_mailbox_fifo(struct twin_line *line)
{
	u32 events, lasting, enabled, silenced, wrong;
	int taken;

	events = readl(line->block + INT_STS) & FIFO_EVENTS;
	writel(events, line->block + INT_STS);

	taken = twin_mailbox_drain(line, &wrong);
	if (taken < 0) {
		writel(0, line->block + INT_EN);
		dev_err(line->dev, "%u entries in a FIFO of %u: it is not read any more\n",
			wrong, line->depth);
		return IRQ_HANDLED;
	}
	if (taken)
		return IRQ_HANDLED;

	lasting = readl(line->block + INT_STS) & FIFO_EVENTS;
	enabled = readl(line->block + INT_EN);
	silenced = lasting & enabled;
	if (readl(line->block + POP_CNT))
		return IRQ_HANDLED;
	if (silenced)
		writel(enabled & ~silenced, line->block + INT_EN);
	return silenced || events & ~lasting ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t twin_mailbox_irq(int irq, void *data)
{
	struct twin_line *line = data;

	if (line->depth)
		return IRQ_WAKE_THREAD;
	if (!(readl(line->block + SW_RX_INT_STS) & DOORBELLS))
		return IRQ_NONE;
	writel(0, line->block + SW_RX_INT_EN);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t twin_mailbox_doorbells(struct twin_line *line)
{
	struct twin_message message = {};

	message.command = readl(line->block + SW_RX_INT_STS) & DOORBELLS;
	writel(message.command, line->block + SW_RX_INT_STS);
	if (!message.command)
		return IRQ_NONE;
	mbox_chan_received_data(line->chan, &message);
	return IRQ_HANDLED;
}

static irqreturn_t twin_mailbox_thread(int irq, void *data)
{
	struct twin_line *line = data;
	irqreturn_t ret = line->depth ? twin_mailbox_fifo(line) : twin_mailbox_doorbells(line);

	line->row = twin_mailbox_peek_data(line->chan) ? line->row + 1 : 0;
	if (line->row > BURST)
		fsleep(PAUSE);
	if (!line->depth)
		writel(DOORBELLS, line->block + SW_RX_INT_EN);
	return ret;
}

static int twin_mailbox_startup(struct mbox_chan *chan)
{
	struct twin_line *line = chan->con_priv;
	int ret;

	ret = request_threaded_irq(line->irq, twin_mailbox_irq, twin_mailbox_thread, IRQF_ONESHOT,
				   "mt3620-mailbox", line);
	if (ret)
		return ret;
	if (line->depth) {
		line->found = readl(line->block + INT_EN);
		if (!(line->found & FIFO_EVENTS))
			writel(FIFO_EVENTS, line->block + INT_EN);
	} else {
		writel(DOORBELLS, line->block + SW_RX_INT_EN);
	}
	return 0;
}

static void twin_mailbox_shutdown(struct mbox_chan *chan)
{
	struct twin_line *line = chan->con_priv;

	free_irq(line->irq, line);
	line->waits = false;
	if (line->depth)
		writel(line->found, line->block + INT_EN);
	else
		writel(0, line->block + SW_RX_INT_EN);
}

static const struct mbox_chan_ops twin_mailbox_ops = {
	.send_data = twin_mailbox_send_data,
	.startup = twin_mailbox_startup,
	.shutdown = twin_mailbox_shutdown,
	.last_tx_done = twin_mailbox_last_tx_done,
	.peek_data = twin_mailbox_peek_data,
};

static int twin_mailbox_number(struct device *dev, const char *name, u32 max, u32 *value)
{
	int ret = of_property_read_u32(dev->of_node, name, value);

	if (ret) {
		dev_err(dev, "%pOF: property '%s' is missing\n", dev->of_node, name);
		return ret;
	}
	if (!*value || *value > max) {
		dev_err(dev, "%pOF: %s is %u, but must be 1 to %u\n", dev->of_node, name,
			*value, max);
		return -EINVAL;
	}
	return 0;
}

/* The core's own says nothing about a channel that there is not. */
static struct mbox_chan *twin_mailbox_xlate(struct mbox_controller *mbox,
					    const struct of_phandle_args *sp)
{
	if (sp->args_count != 1) {
		dev_err(mbox->dev, "%pOF: somebody wants a channel by %d numbers instead of one\n",
			mbox->dev->of_node, sp->args_count);
		return ERR_PTR(-EINVAL);
	}
	if (sp->args[0] >= mbox->num_chans) {
		dev_err(mbox->dev, "%pOF: somebody wants channel %u of %d\n",
			mbox->dev->of_node, sp->args[0], mbox->num_chans);
		return ERR_PTR(-EINVAL);
	}
	return &mbox->chans[sp->args[0]];
}

static int twin_mailbox_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	u32 blocks, depth, i, irq, version;
	struct mbox_controller *mbox;
	struct twin_line *lines;
	struct resource *res;
	void __iomem *io;
	int ret;

	ret = twin_mailbox_number(dev, "mailbox-channel-count", MAX_BLOCKS, &blocks);
	if (ret)
		return ret;
	ret = twin_mailbox_number(dev, "mailbox-max-fifo-count", MAX_DEPTH, &depth);
	if (ret)
		return ret;

	res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	if (!res) {
		dev_err(dev, "%pOF: reg is missing\n", dev->of_node);
		return -EINVAL;
	}
	io = devm_ioremap(dev, res->start, resource_size(res));
	mbox = devm_kzalloc(dev, sizeof(*mbox), GFP_KERNEL);
	lines = devm_kcalloc(dev, 2 * blocks, sizeof(*lines), GFP_KERNEL);
	if (!io || !mbox || !lines)
		return -ENOMEM;
	mbox->num_chans = 2 * blocks;
	mbox->chans = devm_kcalloc(dev, mbox->num_chans, sizeof(*mbox->chans), GFP_KERNEL);
	if (!mbox->chans)
		return -ENOMEM;

	for (i = 0; i < 2 * blocks; i++) {
		struct twin_line *line = &lines[i];

		if (i / 2 * BLOCK_STRIDE + POP_CNT + 8 > resource_size(res)) {
			dev_err(dev, "%pOF: reg ends before block %u\n", dev->of_node, i / 2);
			return -EINVAL;
		}
		line->block = io + i / 2 * BLOCK_STRIDE;
		version = readl(line->block + VER);
		if (version != VER_MT3620) {
			dev_err(dev, "%pOF: block %u has version %#010x, only %#010x is known\n",
				dev->of_node, i / 2, version, VER_MT3620);
			return -ENODEV;
		}
		irq = i / 2 * IRQS_PER_BLOCK + (i % 2 ? DOORBELL_IRQ : POSTED_IRQ);
		line->irq = platform_get_irq_optional(pdev, irq);
		if (line->irq < 0) {
			dev_err(dev, "%pOF: interrupt %u is missing: %d\n", dev->of_node, irq,
				line->irq);
			return line->irq;
		}
		line->depth = i % 2 ? 0 : depth;
		line->dev = dev;
		line->chan = &mbox->chans[i];
		line->chan->con_priv = line;
	}

	mbox->dev = dev;
	mbox->ops = &twin_mailbox_ops;
	mbox->txdone_poll = true;
	mbox->txpoll_period = POLL_PERIOD;
	mbox->of_xlate = twin_mailbox_xlate;
	return devm_mbox_controller_register(dev, mbox);
}

static const struct of_device_id twin_mailbox_of_match[] = {
	{ .compatible = "mediatek,mt3620-mailbox" },
	{ }
};

struct platform_driver twin_mailbox_driver = {
	.driver = {
		.name = "mt3620_mailbox_twin",
		.of_match_table = twin_mailbox_of_match,
	},
	.probe = twin_mailbox_probe,
};
